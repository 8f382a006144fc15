-- The first order that an attempt was named for keeps it.
insert into order_attempts (reference, order_id)
select reference, order_id
from unnest($1::text[], $2::text[]) as a (reference, order_id)
order by reference
on conflict do nothing
