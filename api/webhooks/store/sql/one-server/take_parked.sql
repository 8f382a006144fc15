select provider, provider_event_id, order_id, event, received_at
from parked_webhooks
where order_id = any ($1::text[])
order by order_id, received_at, provider_event_id
