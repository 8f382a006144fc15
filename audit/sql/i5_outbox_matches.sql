-- Every event of an order, a dispute or a payment stands in the outbox exactly once, with its id, type, aggregate and
-- number, and nothing else does. Events that are older than the outbox keeps its rows are left out.
with kept as (
  select now() - retention as since from retention_settings where table_name = 'outbox'
), sources as (
  select 'order' as aggregate_type, order_id as aggregate_id, sequence, event_id, 'order.' || kind as event_type, 1 as events, 0 as messages
  from order_events, kept where created_at >= since
  union all
  select 'dispute', dispute_id, sequence, event_id, 'dispute.' || kind, 1, 0
  from dispute_events, kept where created_at >= since
  union all
  select 'payment', payment_id::text, sequence, event_id, 'payment.' || kind, 1, 0
  from payment_events, kept where created_at >= since
  union all
  select aggregate_type, aggregate_id, sequence, event_id, event_type, 0, 1
  from outbox, kept where created_at >= since and aggregate_type in ('order', 'dispute', 'payment')
), compared as (
  select aggregate_type, aggregate_id, sequence, event_id, event_type, sum(events) as events, sum(messages) as messages
  from sources
  group by aggregate_type, aggregate_id, sequence, event_id, event_type
), broken as (
  select aggregate_type || ' ' || aggregate_id || ' #' || sequence || ': ' || event_id || ' as ' || event_type || ', '
    || events || ' events, ' || messages || ' outbox rows' as example
  from compared
  where events <> 1 or messages <> 1
)
select
  (select count(*) from compared) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
