select pg_advisory_xact_lock(lock_key)
from (select distinct hashtextextended(order_id, 4711) as lock_key from unnest($1::text[]) as o (order_id) order by 1) as keys
