insert into webhook_keys (provider, provider_event_id, user_id, body_sha256, received_at)
select provider, provider_event_id, user_id, decode(body_sha256, 'hex'), received_at
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) as k (provider, provider_event_id, user_id, body_sha256, received_at)
