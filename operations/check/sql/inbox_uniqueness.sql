-- Tables that remember what was received, by their names or by $1, need a unique key over what the sender repeats.
with candidates as (
  select c.oid, c.relkind, n.nspname, c.relname, a.attnum, a.attname
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relkind in ('r', 'p') and not c.relispartition
    and n.nspname !~ '^(pg_|information_schema$)'
    and a.attname ~* '^((provider_|external_|source_)?event_id|idempotency_key|message_id|webhook_id|delivery_id)$'
    and case
      when cardinality($1::text[]) > 0 then c.oid in (select to_regclass(t) from unnest($1::text[]) t)
      else c.relname ~* '(^|_)(inbox|webhooks?|deliver(y|ies)|idempotency|processed|consumed|received)(_|$)|(^|_)(event|webhook)_keys?$'
    end
), keys as (
  -- Columns of each unique index that holds for every row; a primary key is one too.
  select
    i.indrelid,
    array(select a.attname::text from unnest(i.indkey::int2[]) with ordinality k (attnum, position)
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
      where k.position <= i.indnkeyatts order by a.attname) as columns
  from pg_index i
  where i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
), partition_columns as (
  select p.partrelid, array_agg(a.attname::text) as columns
  from pg_partitioned_table p
  cross join lateral unnest(p.partattrs::int2[]) k (attnum)
  join pg_attribute a on a.attrelid = p.partrelid and a.attnum = k.attnum
  group by p.partrelid
), judged as (
  select
    c.*,
    exists (select from keys k where k.indrelid = c.oid and c.attname = any (k.columns)
      and not k.columns && coalesce(p.columns, '{}')) as is_unique,
    exists (select from keys k where k.indrelid = c.oid and c.attname = any (k.columns)) as is_unique_in_partition,
    -- A table of keys beside it, which is not partitioned, can hold the rule for all partitions.
    exists (select from keys k join pg_class t on t.oid = k.indrelid
      where k.indrelid <> c.oid and t.relkind = 'r' and not t.relispartition and c.attname = any (k.columns)) as has_key_table,
    coalesce(p.columns, '{}') as partitioned_by
  from candidates c
  left join partition_columns p on p.partrelid = c.oid
)
select
  'critical' as severity,
  format('%I.%I', nspname, relname) as object,
  case when is_unique_in_partition
    then format('%I is unique only together with %s, so that a repetition at another time is taken as new', attname, array_to_string(partitioned_by, ', '))
    else format('nothing keeps %I unique: a delivery that the sender repeats is applied twice', attname)
  end as finding,
  case when is_unique_in_partition
    then format('create table %I.%I (%I text primary key); -- insert here first, in the transaction of the effect', nspname, relname || '_keys', attname)
    else format('create unique index concurrently on %I.%I (%I); -- with the tenant or provider, where ids are unique within one', nspname, relname, attname)
  end as remedy
from judged
where not is_unique and not has_key_table
  -- One unique key is enough, whichever of the columns it is over.
  and not exists (select from judged other where other.oid = judged.oid and (other.is_unique or other.has_key_table))
