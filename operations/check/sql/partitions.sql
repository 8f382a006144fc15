-- Tables that are partitioned by a time: whether partitions are made ahead, and what lies where none fits.
with parents as (
  select p.partrelid, n.nspname, c.relname, a.attname, p.partdefid
  from pg_partitioned_table p
  join pg_class c on c.oid = p.partrelid
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0]
  where p.partstrat = 'r' and p.partnatts = 1 and a.atttypid in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
), bounds as (
  select i.inhparent,
    (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''([^'']+)''\)'))[1]::timestamptz as lower,
    (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz as upper
  from pg_inherits i
  join pg_class c on c.oid = i.inhrelid
  where i.inhparent in (select partrelid from parents)
), last as (
  select distinct on (inhparent) inhparent, upper, age(upper, lower) as width
  from bounds
  where upper is not null
  order by inhparent, upper desc
)
select
  case when l.upper < now() and p.partdefid = 0 then 'critical' else 'high' end as severity,
  format('%I.%I', p.nspname, p.relname) as object,
  case
    when l.upper < now() and p.partdefid = 0 then format('has no partition for the present since %s: inserts fail', l.upper)
    when l.upper < now() then format('has no partition for the present since %s: rows fall into the default partition', l.upper)
    else format('its last partition ends at %s: the next one is due', l.upper)
  end as finding,
  format('make partitions ahead, and let a schedule do it: create table … partition of %I.%I for values from (%L) to (%L);',
    p.nspname, p.relname, l.upper, l.upper + l.width) as remedy
from parents p
join last l on l.inhparent = p.partrelid
where l.upper < now() + l.width
union all
select 'medium', format('%I.%I', n.nspname, c.relname),
  'is a default partition with rows: a new partition that they belong to cannot be attached',
  format('move the rows out; they are those of: select * from only %I.%I;', n.nspname, c.relname)
from pg_partitioned_table p
join pg_class c on c.oid = p.partdefid
join pg_namespace n on n.oid = c.relnamespace
left join pg_stat_user_tables s on s.relid = c.oid
where greatest(coalesce(s.n_live_tup, 0), c.reltuples) > 0
union all
select 'high', format('%I.%I', n.nspname, c.relname), 'its detaching was broken off: it is neither a partition nor a table of its own',
  format('alter table %s detach partition %I.%I finalize;', i.inhparent::regclass, n.nspname, c.relname)
from pg_inherits i
join pg_class c on c.oid = i.inhrelid
join pg_namespace n on n.oid = c.relnamespace
where i.inhdetachpending
