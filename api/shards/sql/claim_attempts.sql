-- An attempt lies where its order lies, under the user who has claimed that. The first order that it was named for keeps it.
insert into order_owners as o (order_id, user_id, waiting, attempt_of)
select a.name, named.user_id, false, a.order_id
from unnest($1::text[], $2::text[]) as a (name, order_id)
join order_owners named on named.order_id = a.order_id
order by a.name
on conflict (order_id) do update
set user_id = coalesce(o.user_id, excluded.user_id), attempt_of = coalesce(o.attempt_of, excluded.attempt_of)
where o.user_id is null
