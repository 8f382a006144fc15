-- $1, $2: time range; $3: currency or null
select
  currency,
  count(distinct order_id) filter (where sequence = 1)::text as created,
  count(distinct order_id) filter (where kind = 'hold_set')::text as held,
  count(distinct order_id) filter (where kind = 'hold_cleared')::text as released,
  count(distinct order_id) filter (where kind = 'capture_requested')::text as capture_requested,
  count(distinct order_id) filter (where kind = 'capture_completed')::text as captured,
  count(distinct order_id) filter (where kind = 'capture_failed')::text as capture_failed,
  coalesce(sum(amount_minor) filter (where kind = 'capture_completed'), 0)::text as captured_minor,
  count(distinct order_id) filter (where verdict = 'applied' and status = 'success')::text as succeeded,
  count(distinct order_id) filter (where verdict = 'applied' and status = 'failed')::text as failed
from (
  select
    order_id, sequence, kind,
    data ->> 'status' as status,
    data ->> 'verdict' as verdict,
    coalesce(nullif(data ->> 'currency', ''), data -> 'after' ->> 'currency', '') collate "C" as currency,
    (data ->> 'amount_minor')::numeric as amount_minor
  from order_events
  where created_at >= $1 and created_at < $2
) as e
where $3::text is null or currency = $3
group by currency
order by currency
