insert into rollup_day
select
  toDate(minute) as day, type, status, verdict, provider, currency,
  sum(counted) as events, sum(said) as amount_minor, sum(stands) as after_amount_minor,
  toUnixTimestamp64Nano(now64(9)) as version
from (
  select minute, type, status, verdict, provider, currency, events as counted, amount_minor as said, after_amount_minor as stands
  from rollup_minute final
  where toDate(minute) in {days: Array(Date)}
)
group by day, type, status, verdict, provider, currency
