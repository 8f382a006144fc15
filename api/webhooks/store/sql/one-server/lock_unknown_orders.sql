-- The names of orders and of attempts.
select pg_advisory_xact_lock(lock_key)
from (select distinct hashtextextended(name, 4711) as lock_key from unnest($1::text[]) as o (name) order by 1) as keys
