-- What was acknowledged as taking effect did: there is an event or a parked row.
with acknowledged as (
  select distinct provider, provider_event_id
  from recorded_acks
  where status between 200 and 299 and verdict in ('applied', 'stale', 'parked')
), effects as (
  select provider, provider_event_id from order_events where provider_event_id is not null
  union all
  select provider, provider_event_id from dispute_events where provider_event_id is not null
  union all
  select provider, provider_event_id from parked_webhooks
  union all
  select provider, provider_event_id from quarantined_webhooks where digest = ''
), broken as (
  select provider || '/' || provider_event_id || ': acknowledged, but without an effect' as example
  from acknowledged a
  where not exists (
    select from effects e where e.provider = a.provider and e.provider_event_id = a.provider_event_id
  )
)
select
  (select count(*) from acknowledged) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
