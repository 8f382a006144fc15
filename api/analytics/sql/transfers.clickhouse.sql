select
  toString(intDiv(toUnixTimestamp(toDateTime(bucket, 'UTC')), {seconds: UInt32}) * {seconds: UInt32}) as bucket_s,
  toString(currency) as currency,
  substring(type, 10) as kind,
  toString(sum(events)) as transfers,
  toString(sum(amount_minor)) as volume_minor
from {rollup: Identifier} final
where toDateTime(bucket, 'UTC') >= {from: DateTime('UTC')} and toDateTime(bucket, 'UTC') < {to: DateTime('UTC')}
  and startsWith(type, 'transfer.')
  and ({currency: String} = '' or currency = {currency: String})
group by bucket_s, currency, kind
having transfers != '0'
order by toInt64(bucket_s), currency, kind
