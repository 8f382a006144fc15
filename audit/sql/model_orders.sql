-- Every order, and of each webhook that took effect on it the delivery as it was received, in the order in which they
-- were applied. A delivery that was set aside first and released later counts as well.
with effects as materialized (
  select order_id, sequence, provider, provider_event_id
  from order_events
  where provider_event_id is not null
), stored as materialized (
  select provider, provider_event_id, body, received_at, verdict
  from webhook_deliveries
  where verdict in ('applied', 'stale', 'parked', 'quarantined')
), own as materialized (
  select order_id, user_id, customer_id, status, authorised_minor, captured_minor, refunded_minor, currency::text from orders
), first as (
  select distinct on (provider, provider_event_id) provider, provider_event_id, body, received_at
  from stored
  order by provider, provider_event_id, verdict = 'quarantined', received_at
), heard as (
  select e.order_id,
    json_agg(json_build_object('provider', provider, 'id', provider_event_id, 'body', f.body, 'receivedAt', f.received_at) order by e.sequence) as deliveries
  from effects e left join first f using (provider, provider_event_id)
  group by e.order_id
)
select o.order_id as id, o.user_id, o.customer_id, o.status, o.authorised_minor::text, o.captured_minor::text, o.refunded_minor::text, o.currency,
  h.deliveries
from own o join heard h using (order_id)
