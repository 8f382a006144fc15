-- Every accepted delivery has exactly one effect: an event, or a parked row while its order is unknown. A delivery of
-- an unmapped type (`ignored`) has none. Nothing has an effect without a delivery.
with keys as (
  select provider, provider_event_id, count(*) as keys, bool_or(verdict = 'ignored') as ignored
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
  select provider || '/' || provider_event_id || ': ' || coalesce(k.keys, 0) || ' keys, ' || coalesce(e.effects, 0) || ' effects' as example
  from keys k full join effects e using (provider, provider_event_id)
  where coalesce(k.keys, 0) <> 1 or coalesce(e.effects, 0) <> case when k.ignored then 0 else 1 end
)
select
  (select count(*) from keys) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
