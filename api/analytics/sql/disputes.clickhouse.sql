select
  toString(intDiv(toUnixTimestamp(toDateTime(bucket, 'UTC')), {seconds: UInt32}) * {seconds: UInt32}) as bucket_s,
  toString(currency) as currency,
  toString(provider) as provider,
  toString(sumIf(firsts, startsWith(type, 'dispute.'))) as opened,
  toString(sumIf(first_amount_minor, startsWith(type, 'dispute.'))) as disputed_minor,
  toString(sumIf(events, startsWith(type, 'dispute.') and verdict = 'applied' and status = 'won')) as won,
  toString(sumIf(events, startsWith(type, 'dispute.') and verdict = 'applied' and status = 'lost')) as lost,
  toString(sumIf(events, type = 'order.webhook_received' and verdict = 'applied' and status = 'success')) as orders_succeeded
from {rollup: Identifier} final
where toDateTime(bucket, 'UTC') >= {from: DateTime('UTC')} and toDateTime(bucket, 'UTC') < {to: DateTime('UTC')}
  and ({currency: String} = '' or currency = {currency: String})
  and ({provider: String} = '' or provider = {provider: String})
group by bucket_s, currency, provider
having opened != '0' or won != '0' or lost != '0' or orders_succeeded != '0'
order by toInt64(bucket_s), currency, provider
