-- Every dispute, and of each webhook that took effect on it the delivery as it was received, in the order in which they
-- were applied. What the merchant has submitted changes the status too.
with effects as materialized (
  select dispute_id, sequence, provider, provider_event_id, kind
  from dispute_events
), stored as materialized (
  select provider, provider_event_id, body, received_at, verdict
  from webhook_deliveries
  where verdict in ('applied', 'stale', 'parked', 'quarantined')
), own as materialized (
  select dispute_id, status, amount_minor, charged_back_minor from disputes
), first as (
  select distinct on (provider, provider_event_id) provider, provider_event_id, body, received_at
  from stored
  order by provider, provider_event_id, verdict = 'quarantined', received_at
), heard as (
  select e.dispute_id,
    bool_or(e.kind = 'evidence_submitted') as submitted,
    json_agg(json_build_object('provider', provider, 'id', provider_event_id, 'body', f.body, 'receivedAt', f.received_at) order by e.sequence)
      filter (where provider_event_id is not null) as deliveries
  from effects e left join first f using (provider, provider_event_id)
  group by e.dispute_id
)
select d.dispute_id as id, d.status, d.amount_minor::text, d.charged_back_minor::text, h.submitted, h.deliveries
from own d join heard h using (dispute_id)
where h.deliveries is not null
