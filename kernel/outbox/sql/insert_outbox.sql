insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers, created_at)
select event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload::jsonb, headers::jsonb, created_at
from unnest(
  $1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], string_to_array($7, e'\x1e'), string_to_array($8, e'\x1e'), $9::timestamptz[]
) as e (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers, created_at)
