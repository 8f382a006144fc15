select id, toString(on_day) as day, toString(type) as type, toString(currency) as currency,
  toString(counted) as events, toString(said) as amount_minor
from (
  select 'rollup_minute' as id, toDate(bucket) as on_day, type, currency, sum(events) as counted, sum(amount_minor) as said
  from rollup_minute final
  where bucket >= toDateTime({since: String} || ' 00:00:00', 'UTC')
  group by on_day, type, currency
  union all
  select 'rollup_day' as id, bucket as on_day, type, currency, sum(events) as counted, sum(amount_minor) as said
  from rollup_day final
  where bucket >= toDate({since: String})
  group by on_day, type, currency
)
where counted > 0
