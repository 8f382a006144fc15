-- All users of one call lie in one shard: rows of several shards can't be locked by one statement.
select order_id, user_id, status, amount_minor, currency, sequence, provider, provider_updated_at,
  customer_id, payments, authorised_minor, captured_minor, refunded_minor, updated_at
from orders
where user_id = any ($1::text[])
  and order_id = any ($2::text[])
order by order_id
for no key update
