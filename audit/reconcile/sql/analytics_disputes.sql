select
  dispute_id as id,
  toString(toDate(updated_at)) as day,
  'dispute' as type,
  toString(currency) as currency,
  toInt128(ifNull(amount_minor, 0)) as amount,
  toInt128(reinterpretAsInt64(reverse(substring(MD5(concatWithSeparator('|',
    dispute_id, order_id, user_id, status, reason, ifNull(toString(amount_minor), ''), currency, toString(sequence)
  )), 1, 8)))) as hash
from disputes_latest final
where updated_at >= toDateTime64({since: String} || ' 00:00:00', 6, 'UTC')
