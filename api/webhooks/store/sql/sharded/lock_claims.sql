-- Held until the events that wait for these orders are stored: a transaction that claims one of them waits for that.
select order_id, user_id
from order_owners
where order_id = any ($1::text[])
order by order_id
for update
