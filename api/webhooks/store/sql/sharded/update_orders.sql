-- The list of users leads to the shards; the join alone would ask all of them.
update orders
set status = o.status,
  amount_minor = o.amount_minor,
  currency = o.currency,
  sequence = o.sequence,
  provider = o.provider,
  provider_updated_at = o.provider_updated_at,
  updated_at = o.updated_at
from unnest(
  $1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::text[], $8::timestamptz[],
  $9::timestamptz[]
) as o (user_id, order_id, status, amount_minor, currency, sequence, provider, provider_updated_at, updated_at)
where orders.user_id = o.user_id and orders.order_id = o.order_id and orders.user_id = any ($1::text[])
