select
  account_id as id,
  toString(toDate(updated_at)) as day,
  'account' as type,
  toString(currency) as currency,
  toInt128(ifNull(balance_minor, 0)) as amount,
  toInt128(reinterpretAsInt64(reverse(substring(MD5(concatWithSeparator('|',
    account_id, user_id, ifNull(toString(balance_minor), ''), currency, toString(sequence)
  )), 1, 8)))) as hash
from accounts_latest final
where updated_at >= toDateTime64({since: String} || ' 00:00:00', 6, 'UTC')
