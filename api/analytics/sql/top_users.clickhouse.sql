select
  user_id,
  toString(countIf(aggregate_type = 'order' and sequence = 1)) as created,
  toString(countIf(aggregate_type = 'order' and verdict = 'applied' and status = 'success')) as succeeded,
  toString(countIf(aggregate_type = 'dispute' and sequence = 1)) as disputes_opened,
  sumIf(toInt128(ifNull(after_amount_minor, 0)),
    aggregate_type = 'order' and verdict = 'applied' and status = 'success') as volume,
  toString(volume) as volume_minor
from events final
where occurred_at >= {from: DateTime('UTC')} and occurred_at < {to: DateTime('UTC')}
  and toStartOfMinute(occurred_at) >= {from: DateTime('UTC')} and toStartOfMinute(occurred_at) < {to: DateTime('UTC')}
  and aggregate_type in ('order', 'dispute') and currency = {currency: String}
group by user_id
order by volume desc, user_id
limit {limit: UInt32}
