-- As rebuild_minutes.sql.
insert into rollup_day
select
  day as bucket, type, status, verdict, provider, currency,
  sum(counted) as events, sum(said) as amount_minor, sum(stands) as after_amount_minor,
  sum(began) as firsts, sum(began_with) as first_amount_minor,
  greatest(toUInt64(toUnixTimestamp64Nano(now64(9))), max(former) + 1) as version
from (
  select
    toDate(bucket) as day, type, status, verdict, provider, currency, events as counted, amount_minor as said,
    after_amount_minor as stands, firsts as began, first_amount_minor as began_with, toUInt64(0) as former
  from rollup_minute final
  where toDate(bucket) in {days: Array(Date)}
  union all
  select
    bucket, type, status, verdict, provider, currency,
    toUInt64(0), toInt128(0), toInt128(0), toUInt64(0), toInt128(0), version
  from rollup_day
  where bucket in {days: Array(Date)}
)
group by day, type, status, verdict, provider, currency
