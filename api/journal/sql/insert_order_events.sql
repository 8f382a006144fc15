insert into order_events (event_id, order_id, user_id, sequence, kind, provider, provider_event_id, data, created_at)
select event_id, order_id, user_id, sequence, kind, provider, provider_event_id, data::jsonb, created_at
from unnest(
  $1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], string_to_array($8, e'\x1e'), $9::timestamptz[]
) as e (event_id, order_id, user_id, sequence, kind, provider, provider_event_id, data, created_at)
