insert into parked_webhooks (provider, provider_event_id, order_id, attempt_reference, event, received_at)
select provider, provider_event_id, order_id, attempt_reference, event::jsonb, received_at
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
  as p (provider, provider_event_id, order_id, attempt_reference, event, received_at)
