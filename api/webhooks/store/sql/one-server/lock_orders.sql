select order_id, user_id, status, amount_minor, currency, sequence, provider, provider_updated_at,
  customer_id, payments, authorised_minor, captured_minor, refunded_minor, updated_at
from orders
where order_id = any ($1::text[] || array(select order_id from order_attempts where reference = any ($2::text[])))
order by order_id
for no key update
