-- The keys with which another transaction is at work; the others are locked until this one ends.
select principal, key
from unnest($1::text[], $2::text[]) as k (principal, key)
where not pg_try_advisory_xact_lock(hashtextextended('idempotency ' || principal || ' ' || key, 0))
