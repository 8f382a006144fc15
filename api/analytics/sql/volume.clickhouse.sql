select
  toString(intDiv(toUnixTimestamp(toDateTime(bucket, 'UTC')), {seconds: UInt32}) * {seconds: UInt32}) as bucket_s,
  toString(currency) as currency,
  toString(provider) as provider,
  toString(sum(firsts)) as created,
  toString(sumIf(events, verdict = 'applied' and status = 'success')) as succeeded,
  toString(sumIf(events, verdict = 'applied' and status = 'failed')) as failed,
  toString(sumIf(after_amount_minor, verdict = 'applied' and status = 'success')) as volume_minor
from {rollup: Identifier} final
where toDateTime(bucket, 'UTC') >= {from: DateTime('UTC')} and toDateTime(bucket, 'UTC') < {to: DateTime('UTC')}
  and type = 'order.webhook_received'
  and ({currency: String} = '' or currency = {currency: String})
  and ({provider: String} = '' or provider = {provider: String})
group by bucket_s, currency, provider
having created != '0' or succeeded != '0' or failed != '0'
order by toInt64(bucket_s), currency, provider
