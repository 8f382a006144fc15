-- Every event once, as source_events.sql.
select
  toString(event_id) as id,
  toString(toDate(occurred_at)) as day,
  toString(type) as type,
  toString(currency) as currency,
  toInt128(ifNull(amount_minor, 0)) as amount,
  toInt128(reinterpretAsInt64(reverse(substring(MD5(concatWithSeparator('|',
    toString(event_id), type, aggregate_type, aggregate_id, user_id, toString(sequence),
    toString(toUnixTimestamp64Micro(occurred_at)), ifNull(toString(amount_minor), ''), currency,
    status, verdict, provider, order_id, after_status, ifNull(toString(after_amount_minor), '')
  )), 1, 8)))) as hash
from events final
where occurred_at >= toDateTime64({since: String} || ' 00:00:00', 6, 'UTC')
