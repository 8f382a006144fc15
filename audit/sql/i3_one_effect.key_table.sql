-- Every dedupe key has exactly one effect: an event, or a parked row while its order is unknown. A delivery of an
-- unmapped type (`ignored`) has none. Nothing has an effect without a key, and no key was accepted twice: deliveries
-- may have expired, so none is asked for, but two are one too many.
with deliveries as (
  select provider, provider_event_id, count(*) as accepted, bool_or(verdict = 'ignored') as ignored
  from webhook_deliveries
  where verdict not in ('duplicate', 'quarantined')
  group by provider, provider_event_id
), effects as (
  select provider, provider_event_id, count(*) as effects
  from (
    select provider, provider_event_id from order_events where provider_event_id is not null
    union all
    select provider, provider_event_id from dispute_events where provider_event_id is not null
    union all
    select provider, provider_event_id from parked_webhooks
    union all
    select provider, provider_event_id from quarantined_webhooks where digest = ''
  ) as e
  group by provider, provider_event_id
), broken as (
  select provider || '/' || provider_event_id || ': ' || case when k.body_sha256 is null then 0 else 1 end || ' keys, '
    || coalesce(d.accepted, 0) || ' accepted deliveries, ' || coalesce(e.effects, 0) || ' effects' as example
  from webhook_keys k
  full join deliveries d using (provider, provider_event_id)
  full join effects e using (provider, provider_event_id)
  where k.body_sha256 is null
    or coalesce(d.accepted, 0) > 1
    or coalesce(e.effects, 0) <> case when d.ignored then 0 else 1 end
)
select
  (select count(*) from webhook_keys) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
