delete from parked_webhooks
where user_id = $1 and provider = $2 and provider_event_id = $3
