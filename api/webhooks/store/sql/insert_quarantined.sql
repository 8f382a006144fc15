insert into quarantined_webhooks (user_id, provider, provider_event_id, digest, reason, event, received_at)
select user_id, provider, provider_event_id, digest, reason, event::jsonb, received_at
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
  as q (user_id, provider, provider_event_id, digest, reason, event, received_at)
on conflict do nothing
