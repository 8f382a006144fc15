-- What waits in quarantine, each with the delivery as it was received, and whether the same event has come with another
-- body, which is a contradiction by itself.
with waiting as materialized (
  select provider, provider_event_id, digest, reason, event ->> 'orderId' as order_id, event ->> 'attemptReference' as attempt
  from quarantined_webhooks
  where decision is null
), attempts as materialized (
  select reference, order_id from order_attempts
), stored as materialized (
  select provider, provider_event_id, body, received_at, encode(body_sha256, 'hex') as digest, verdict
  from webhook_deliveries
), bodies as (
  select provider, provider_event_id, count(distinct digest) as bodies from stored group by provider, provider_event_id
), first as (
  select distinct on (provider, provider_event_id) provider, provider_event_id, body, received_at
  from stored
  where verdict in ('quarantined', 'parked')
  order by provider, provider_event_id, received_at
)
select w.provider, w.provider_event_id as id, w.reason, coalesce(a.order_id, w.order_id) as order_id, b.bodies > 1 as is_changed,
  f.body, f.received_at
from waiting w
  left join attempts a on a.reference = w.attempt
  left join bodies b using (provider, provider_event_id)
  left join first f using (provider, provider_event_id)
