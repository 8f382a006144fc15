select order_id, user_id, status, amount_minor, currency, customer_id, authorised_minor,
  captured_minor, refunded_minor, payments, on_hold, hold_reason, sequence, provider, provider_updated_at,
  created_at, updated_at
from orders
where order_id = $1 and user_id = $2
for no key update
