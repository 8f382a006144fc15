insert into orders (
  order_id, user_id, status, amount_minor, currency, sequence, provider, provider_updated_at,
  customer_id, payments, authorised_minor, captured_minor, refunded_minor, created_at, updated_at
)
select order_id, user_id, status, amount_minor, currency, sequence, provider, provider_updated_at,
  customer_id, payments::jsonb, authorised_minor, captured_minor, refunded_minor, $14, $14
from unnest(
  $1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::text[], $8::timestamptz[],
  $9::text[], $10::text[], $11::bigint[], $12::bigint[], $13::bigint[]
) as o (
  order_id, user_id, status, amount_minor, currency, sequence, provider, provider_updated_at,
  customer_id, payments, authorised_minor, captured_minor, refunded_minor
)
