-- Where a roll-up is not what the events add up to, in any of its columns and down to the minute.
select distinct id, toString(toDate(at)) as day, toString(type) as type, toString(currency) as currency
from (
  select
    'rollup_minute' as id, bucket as at, type, status, verdict, provider, currency, toInt128(events) as counted,
    amount_minor as said, after_amount_minor as stands, toInt128(firsts) as began, first_amount_minor as began_with
  from rollup_minute final
  where bucket >= toDateTime({since: String} || ' 00:00:00', 'UTC')
  union all
  select
    'rollup_day', toDateTime(bucket, 'UTC'), type, status, verdict, provider, currency, toInt128(events),
    amount_minor, after_amount_minor, toInt128(firsts), first_amount_minor
  from rollup_day final
  where bucket >= toDate({since: String})
  union all
  select
    id, if(id = 'rollup_day', toStartOfDay(occurred_at), toStartOfMinute(occurred_at)), type, status, verdict, provider,
    currency, toInt128(-1), -toInt128(ifNull(amount_minor, 0)), -toInt128(ifNull(after_amount_minor, 0)),
    -toInt128(sequence = 1), -toInt128(sequence = 1) * toInt128(ifNull(after_amount_minor, 0))
  from events final
  array join ['rollup_minute', 'rollup_day'] as id
  where occurred_at >= toDateTime64({since: String} || ' 00:00:00', 6, 'UTC')
)
group by id, at, type, status, verdict, provider, currency
having sum(counted) != 0 or sum(said) != 0 or sum(stands) != 0 or sum(began) != 0 or sum(began_with) != 0
