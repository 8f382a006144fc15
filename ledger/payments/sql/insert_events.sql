insert into payment_events (payment_id, sequence, event_id, user_id, kind, data, created_at)
select payment_id, sequence, event_id, user_id, kind, data::jsonb, created_at
from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], string_to_array($6, e'\x1e'), $7::timestamptz[])
  as e (payment_id, sequence, event_id, user_id, kind, data, created_at)
