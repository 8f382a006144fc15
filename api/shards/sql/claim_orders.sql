-- The first claim counts. A row without a user says that events wait for the order.
insert into order_owners as o (order_id, user_id, waiting)
select order_id, user_id, user_id is null
from unnest($1::text[], $2::text[]) as c (order_id, user_id)
order by order_id
on conflict (order_id) do update
set user_id = coalesce(o.user_id, excluded.user_id), waiting = o.waiting or excluded.waiting
where o.user_id is null
