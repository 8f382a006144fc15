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
  $1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[],
  $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::timestamptz[]
) as o (
  order_id, status, amount_minor, currency, sequence, provider, provider_updated_at,
  customer_id, payments, authorised_minor, captured_minor, refunded_minor, updated_at
)
where orders.order_id = o.order_id
