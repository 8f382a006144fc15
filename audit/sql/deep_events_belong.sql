-- Events lie with their order or dispute: the same user and provider, times that follow the numbers, and the row's own
-- times are those of its first and its newest event. An order is on hold when its newest decision on that says so.
with events as materialized (
  select 'order' as aggregate, order_id as id, order_id, user_id, sequence, kind, provider, created_at, data from order_events
  union all
  select 'dispute', dispute_id, order_id, user_id, sequence, kind, provider, created_at, data from dispute_events
), rows as materialized (
  select 'order' as aggregate, order_id as id, order_id, user_id, provider, created_at, updated_at from orders
  union all
  select 'dispute', dispute_id, order_id, user_id, provider, created_at, updated_at from disputes
), own_orders as materialized (
  select order_id, on_hold, hold_reason from orders
), numbered as (
  select *, lag(created_at) over (partition by aggregate, id order by sequence) as before from events
), spans as (
  select aggregate, id, min(created_at) filter (where sequence = 1) as first, max(created_at) as newest from events group by aggregate, id
), holds as materialized (
  select distinct on (order_id) order_id, kind, data ->> 'reason' as reason
  from order_events where kind in ('hold_set', 'hold_released') order by order_id, sequence desc
), broken as (
  select aggregate || ' ' || id || ' #' || e.sequence || ': an event of user ' || e.user_id || ' through ' || coalesce(e.provider, 'the API')
    || ' at ' || e.created_at as example
  from numbered e join rows r using (aggregate, id)
  where e.user_id <> r.user_id or e.order_id <> r.order_id or e.provider <> r.provider or e.created_at < e.before
  union all
  select aggregate || ' ' || id || ': made ' || r.created_at || ' and changed ' || r.updated_at || ', its events say '
    || s.first || ' and ' || s.newest
  from rows r join spans s using (aggregate, id)
  where r.updated_at <> s.newest or r.created_at <> s.first
  union all
  select o.order_id || ': on hold ' || o.on_hold || ', its newest decision is ' || coalesce(h.kind, 'none')
  from own_orders o left join holds h using (order_id)
  where o.on_hold <> coalesce(h.kind = 'hold_set', false) or o.on_hold and o.hold_reason is distinct from h.reason
  union all
  select d.id || ': a dispute of user ' || d.user_id || ', its order is of ' || o.user_id
  from rows d join rows o using (order_id)
  where d.aggregate = 'dispute' and o.aggregate = 'order' and d.user_id <> o.user_id
)
select
  (select count(*) from events) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
