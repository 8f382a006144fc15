insert into orders (order_id, user_id, status, amount_minor, currency, sequence, provider, provider_updated_at, created_at, updated_at)
select order_id, user_id, status, amount_minor, currency, sequence, provider, provider_updated_at, $9, $9
from unnest(
  $1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::text[], $8::timestamptz[]
) as o (order_id, user_id, status, amount_minor, currency, sequence, provider, provider_updated_at)
