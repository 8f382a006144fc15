insert into parked_webhooks (provider, provider_event_id, order_id, event, received_at)
select provider, provider_event_id, order_id, event::jsonb, received_at
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) as p (provider, provider_event_id, order_id, event, received_at)
