insert into dispute_events (event_id, dispute_id, order_id, user_id, sequence, kind, provider, provider_event_id, data, created_at)
select event_id, dispute_id, order_id, user_id, sequence, kind, provider, provider_event_id, data::jsonb, created_at
from unnest(
  $1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], string_to_array($9, e'\x1e'), $10::timestamptz[]
) as e (event_id, dispute_id, order_id, user_id, sequence, kind, provider, provider_event_id, data, created_at)
