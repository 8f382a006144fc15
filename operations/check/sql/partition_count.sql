-- A statement that can't prune takes a lock on every partition and on every index of each.
with counts as (
  select c.oid, n.nspname, c.relname, count(*) as partitions,
    (select count(*) from pg_index i where i.indrelid = c.oid) as indexes
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_inherits i on i.inhparent = c.oid
  where c.relkind = 'p'
  group by c.oid, n.nspname, c.relname
), room as (
  select current_setting('max_locks_per_transaction')::bigint
    * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint) as locks
)
select 'medium' as severity, format('%I.%I', nspname, relname) as object,
  format('has %s partitions of %s indexes: %s statements at a time that look into all of them take all %s locks of the server',
    partitions, indexes, locks / (partitions * (1 + indexes)), locks) as finding,
  format('longer partitions, bounds on the key in each query, or: alter system set max_locks_per_transaction = %s; -- and a restart',
    ceil(partitions * (1 + indexes) * 20 / current_setting('max_connections')::numeric / 64) * 64) as remedy
from counts, room
where partitions * (1 + indexes) * 20 > locks
