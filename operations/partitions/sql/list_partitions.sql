-- Every partition of every daily table, and tables that were one and are not attached: their comment has the bounds.
select t.table_name as "table", c.relname as partition, t.time_column as "timeColumn",
  c.relpartbound is not null and pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT' as "isDefault",
  i.inhrelid is not null as attached,
  coalesce(substring(bound from 'FROM \(''([^'']+)''')::timestamptz, (note ->> 'from')::timestamptz) as "from",
  coalesce(substring(bound from 'TO \(''([^'']+)''')::timestamptz, (note ->> 'to')::timestamptz) as "to",
  greatest(c.reltuples, s.n_live_tup, 0)::float8 as "rowsEstimate",
  pg_total_relation_size(c.oid)::float8 as bytes,
  coalesce(substring(bound from 'TO \(''([^'']+)''')::timestamptz <= now() - t.retention, false) as expired
from retention_settings t
join pg_class p on p.oid = to_regclass('public.' || t.table_name) and p.relkind = 'p'
join pg_class c on c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
left join pg_inherits i on i.inhrelid = c.oid and i.inhparent = p.oid
left join pg_stat_user_tables s on s.relid = c.oid
cross join lateral (select pg_get_expr(c.relpartbound, c.oid) as bound) b
cross join lateral (
  select case when obj_description(c.oid, 'pg_class') like '{"lab_partition_of":%' then obj_description(c.oid, 'pg_class')::jsonb end as note
) n
where i.inhrelid is not null or note ->> 'lab_partition_of' = t.table_name
order by t.table_name, "from" nulls first
