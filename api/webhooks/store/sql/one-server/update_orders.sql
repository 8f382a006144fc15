update orders
set status = o.status,
  amount_minor = o.amount_minor,
  currency = o.currency,
  sequence = o.sequence,
  provider = o.provider,
  provider_updated_at = o.provider_updated_at,
  updated_at = o.updated_at
from unnest(
  $1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[], $8::timestamptz[]
) as o (order_id, status, amount_minor, currency, sequence, provider, provider_updated_at, updated_at)
where orders.order_id = o.order_id
