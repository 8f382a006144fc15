-- Outbox tables, by their names or by $1: whether they are published, grow for ever or are eaten by dead rows.
with outboxes as (
  select c.oid, c.relkind, n.nspname, c.relname
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^(pg_|information_schema$)'
    and case
      when cardinality($1::text[]) > 0 then c.oid in (select to_regclass(t) from unnest($1::text[]) t)
      else c.relname ~* '(^|_)outbox(_|$)'
    end
), leaves as (
  select o.oid, o.nspname, o.relname, o.relkind, t.relid as leaf
  from outboxes o
  cross join lateral pg_partition_tree(o.oid) t
  where t.isleaf
  union all
  select oid, nspname, relname, relkind, oid from outboxes where relkind = 'r'
), sums as (
  select l.oid, l.nspname, l.relname, l.relkind,
    coalesce(sum(s.n_live_tup), 0) as live, coalesce(sum(s.n_dead_tup), 0) as dead
  from leaves l
  left join pg_stat_user_tables s on s.relid = l.leaf
  group by l.oid, l.nspname, l.relname, l.relkind
), oldest as (
  -- From the statistics of the last ANALYZE, which cost no scan.
  select distinct on (o.oid) o.oid, ((s.histogram_bounds::text)::text[])[1]::timestamptz as at
  from outboxes o
  join pg_stats s on s.schemaname = o.nspname and s.tablename = o.relname
  join pg_attribute a on a.attrelid = o.oid and a.attname = s.attname
  where a.atttypid = 'timestamptz'::regtype and s.attname ~* '^(created|inserted|occurred|recorded)' and s.histogram_bounds is not null
  order by o.oid, s.attname
)
select 'high' as severity, format('%I.%I', s.nspname, s.relname) as object,
  'logical slots exist, and no publication has it: its events reach no consumer of theirs' as finding,
  format('create publication outbox for table %I.%I with (publish = ''insert'', publish_via_partition_root = true);', s.nspname, s.relname) as remedy
from sums s
where exists (select from pg_replication_slots r where r.slot_type = 'logical' and r.database = current_database())
  and not exists (
    select from pg_publication_tables p
    join pg_namespace n on n.nspname = p.schemaname
    join pg_class c on c.relnamespace = n.oid and c.relname = p.tablename
    where c.oid in (select relid from pg_partition_tree(s.oid) union select s.oid)
  )
union all
select 'medium', format('publication %I', p.pubname),
  format('%I.%I is partitioned, and its changes are published under the names of the partitions: each new one is a new topic or table', s.nspname, s.relname),
  format('alter publication %I set (publish_via_partition_root = true);', p.pubname)
from sums s
join pg_publication_rel r on r.prrelid = s.oid
join pg_publication p on p.oid = r.prpubid
where s.relkind = 'p' and not p.pubviaroot
union all
select 'medium', format('%I.%I', s.nspname, s.relname),
  format('is a queue of %s rows with %s dead ones: each read steps over them', s.live, s.dead),
  format('alter table %I.%I set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0); vacuum %1$I.%2$I;', s.nspname, s.relname)
from sums s
where s.relkind = 'r' and s.dead > 10000 and s.dead > s.live
union all
select 'medium', format('%I.%I', s.nspname, s.relname),
  format('its oldest rows are of %s: they are not removed after they were published', to_char(o.at, 'YYYY-MM-DD')),
  'partition it by time, and drop partitions that every consumer has confirmed'
from sums s
join oldest o on o.oid = s.oid
where s.relkind = 'r' and o.at < now() - interval '30 days'
