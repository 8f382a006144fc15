select
  toString(currency) as currency,
  toString(uniqExactIf(aggregate_id, sequence = 1)) as created,
  toString(uniqExactIf(aggregate_id, type = 'order.hold_set')) as held,
  toString(uniqExactIf(aggregate_id, type = 'order.hold_cleared')) as released,
  toString(uniqExactIf(aggregate_id, type = 'order.capture_requested')) as capture_requested,
  toString(uniqExactIf(aggregate_id, type = 'order.capture_completed')) as captured,
  toString(uniqExactIf(aggregate_id, type = 'order.capture_failed')) as capture_failed,
  toString(sumIf(toInt128(ifNull(amount_minor, 0)), type = 'order.capture_completed')) as captured_minor,
  toString(uniqExactIf(aggregate_id, verdict = 'applied' and status = 'success')) as succeeded,
  toString(uniqExactIf(aggregate_id, verdict = 'applied' and status = 'failed')) as failed
from events final
where occurred_at >= {from: DateTime('UTC')} and occurred_at < {to: DateTime('UTC')}
  and toStartOfMinute(occurred_at) >= {from: DateTime('UTC')} and toStartOfMinute(occurred_at) < {to: DateTime('UTC')}
  and aggregate_type = 'order'
  and ({currency: String} = '' or currency = {currency: String})
group by currency
order by currency
