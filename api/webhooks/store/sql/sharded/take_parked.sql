select p.user_id, p.provider, p.provider_event_id, p.order_id, p.attempt_reference, p.event, p.received_at,
  encode(k.body_sha256, 'hex') as body_sha256
from parked_webhooks p
join webhook_keys k using (user_id, provider, provider_event_id)
where p.user_id = any ($1::text[])
  and (p.order_id = any ($2::text[]) or p.attempt_reference = any ($3::text[]))
order by p.order_id, p.received_at, p.provider_event_id
