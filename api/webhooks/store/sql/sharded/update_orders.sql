-- The list of users leads to the shards; the join alone would ask all of them.
update orders
set status = o.status,
  amount_minor = o.amount_minor,
  currency = o.currency,
  sequence = o.sequence,
  provider = o.provider,
  provider_updated_at = o.provider_updated_at,
  customer_id = o.customer_id,
  payments = o.payments::jsonb,
  authorised_minor = o.authorised_minor,
  captured_minor = o.captured_minor,
  refunded_minor = o.refunded_minor,
  updated_at = o.updated_at
from unnest(
  $1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::text[], $8::timestamptz[],
  $9::text[], $10::text[], $11::bigint[], $12::bigint[], $13::bigint[], $14::timestamptz[]
) as o (
  user_id, order_id, status, amount_minor, currency, sequence, provider, provider_updated_at,
  customer_id, payments, authorised_minor, captured_minor, refunded_minor, updated_at
)
where orders.user_id = o.user_id and orders.order_id = o.order_id and orders.user_id = any ($1::text[])
