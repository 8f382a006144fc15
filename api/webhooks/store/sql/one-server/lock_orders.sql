select order_id, user_id, status, amount_minor, currency, sequence, provider, provider_updated_at,
  updated_at
from orders
where order_id = any ($1::text[])
order by order_id
for no key update
