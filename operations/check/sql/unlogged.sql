-- What a crash empties, and what no replica has.
select
  case when n.nspname || '.' || c.relname ~* '(payment|order|transfer|posting|ledger|account|outbox|inbox|webhook|dispute|refund)'
    then 'critical' else 'high' end as severity,
  format('%I.%I', n.nspname, c.relname) as object,
  'is unlogged: a crash empties it, and replicas do not have it' as finding,
  format('alter table %I.%I set logged;', n.nspname, c.relname) as remedy
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relpersistence = 'u' and c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema')
