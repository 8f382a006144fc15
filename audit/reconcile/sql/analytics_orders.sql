select
  order_id as id,
  toString(toDate(updated_at)) as day,
  'order' as type,
  toString(currency) as currency,
  toInt128(ifNull(amount_minor, 0)) as amount,
  toInt128(reinterpretAsInt64(reverse(substring(MD5(concatWithSeparator('|',
    order_id, user_id, status, ifNull(toString(amount_minor), ''), currency, toString(sequence)
  )), 1, 8)))) as hash
from orders_latest final
where updated_at >= toDateTime64({since: String} || ' 00:00:00', 6, 'UTC')
