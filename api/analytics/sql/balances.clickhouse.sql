select
  toString(intDiv(toUnixTimestamp(occurred_at), {seconds: UInt32}) * {seconds: UInt32}) as bucket_s,
  toString(any(currency)) as currency,
  toString(count()) as postings,
  toString(sum(toInt128(assumeNotNull(amount_minor)))) as change_minor,
  toString(argMax(assumeNotNull(after_amount_minor), sequence)) as balance_minor
from events final
where toStartOfMinute(occurred_at) >= {from: DateTime('UTC')} and toStartOfMinute(occurred_at) < {to: DateTime('UTC')}
  and aggregate_type = 'posting' and aggregate_id = {account: String}
group by bucket_s
order by toInt64(bucket_s)
