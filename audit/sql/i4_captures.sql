-- What captures have taken or may have taken does not exceed their order, and every capture has its events: one request,
-- and one outcome that says what the capture says. This is the lab's own half; the provider's books are the other.
with own as materialized (
  select capture_id::text, order_id, amount_minor, currency::text, status from captures
), events as materialized (
  select order_id, kind, data ->> 'capture_id' as capture_id, data ->> 'amount_minor' as amount_minor, data ->> 'currency' as currency
  from order_events
  where kind in ('capture_requested', 'capture_completed', 'capture_failed')
), taken as (
  select order_id, sum(amount_minor) as amount_minor, count(*) as captures, min(currency) as currency, max(currency) as last_currency
  from own
  where status in ('requested', 'completed')
  group by order_id
), told as (
  select capture_id,
    count(*) filter (where kind = 'capture_requested') as requested,
    count(*) filter (where kind = 'capture_completed') as completed,
    count(*) filter (where kind = 'capture_failed') as failed,
    count(distinct (order_id, amount_minor, currency)) as versions,
    min(order_id) as order_id,
    min(amount_minor) as amount_minor,
    min(currency) as currency
  from events
  group by capture_id
), broken as (
  select t.order_id || ': ' || t.captures || ' captures of ' || t.amount_minor || ' ' || t.currency || ' together, order of '
    || coalesce(o.amount_minor || ' ' || o.currency, 'an unknown amount') as example
  from taken t left join orders o using (order_id)
  where t.amount_minor > coalesce(o.amount_minor, 0) or t.currency is distinct from o.currency or t.currency <> t.last_currency
  union all
  select capture_id || ': ' || coalesce(c.status, 'no row') || ', events: '
    || coalesce(e.requested, 0) || ' requested, ' || coalesce(e.completed, 0) || ' completed, ' || coalesce(e.failed, 0) || ' failed'
  from own c full join told e using (capture_id)
  where c.status is null
    or coalesce(e.requested, 0) <> 1
    or coalesce(e.completed, 0) <> (c.status = 'completed')::integer
    or coalesce(e.failed, 0) <> (c.status = 'failed')::integer
    or e.versions <> 1
    or (e.order_id, e.amount_minor, e.currency) is distinct from (c.order_id, c.amount_minor::text, c.currency)
)
select
  (select count(*) from own) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
