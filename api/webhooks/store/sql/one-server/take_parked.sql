select provider, provider_event_id, order_id, attempt_reference, event, received_at
from parked_webhooks
where order_id = any ($1::text[]) or attempt_reference = any ($2::text[])
order by order_id, received_at, provider_event_id
