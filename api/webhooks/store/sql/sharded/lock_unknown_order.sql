-- The lock is taken where the shard lies, so that every node that works on this user meets it there.
select pg_advisory_xact_lock(hashtextextended($2, 4711))
from (select count(*) from (select from orders where user_id = $1 limit 0) as nothing) as one_row
