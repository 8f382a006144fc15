-- A delivery is what its hash says: others than Silvergate's is of a part of the body, and what is masked has none. Its
-- verdict is that of its event, a parked webhook is the one that was delivered, and none was received in the future.
with deliveries as (
  select *, provider || '/' || provider_event_id as name from webhook_deliveries
), kept as (
  -- Deliveries may be kept for a shorter time than what they caused.
  select min(received_at) as since from webhook_deliveries
), quarantined as materialized (
  select provider, provider_event_id, user_id, reason, received_at from quarantined_webhooks
), effects as materialized (
  select provider, provider_event_id, created_at from order_events where provider_event_id is not null
), broken as (
  select name || ': its body is not the one of its hash' as example
  from deliveries
  where provider = 'silvergate' and body_sha256 <> sha256(convert_to(body, 'UTF8')) and body not like '%**%'
  union all
  select name || ': delivered as ' || d.verdict || ', its event says ' || coalesce(e.verdict, 'nothing')
  from deliveries d join (
    select provider, provider_event_id, data ->> 'verdict' as verdict from order_events where provider_event_id is not null
    union all
    select provider, provider_event_id, data ->> 'verdict' from dispute_events where provider_event_id is not null
  ) e using (provider, provider_event_id)
  where d.verdict in ('applied', 'stale') and d.verdict is distinct from e.verdict
  union all
  select name || ': parked for ' || p.order_id || ' of event ' || coalesce(p.event ->> 'providerEventId', 'none')
  from deliveries d join parked_webhooks p using (provider, provider_event_id)
  where d.verdict not in ('parked', 'duplicate') or p.order_id is distinct from coalesce(p.event ->> 'orderId', p.order_id)
  union all
  select name || ': quarantined, and not set aside for a decision'
  from deliveries d left join quarantined q using (provider, provider_event_id, reason, received_at)
  where d.verdict = 'quarantined' and q.user_id is null
  union all
  select q.provider || '/' || q.provider_event_id || ': set aside for ' || q.user_id || ', and not delivered'
  from quarantined q cross join kept left join deliveries d using (provider, provider_event_id)
  where q.received_at >= kept.since and d.verdict is null
  union all
  select name || ': it has an effect, and only duplicates of it were delivered'
  from deliveries d join effects e using (provider, provider_event_id) cross join kept
  where e.created_at >= kept.since
  group by name
  having bool_and(verdict = 'duplicate')
  union all
  select name || ': received in the future, ' || received_at
  from deliveries
  where received_at > now() + interval '1 minute'
)
select
  (select count(*) from deliveries) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
