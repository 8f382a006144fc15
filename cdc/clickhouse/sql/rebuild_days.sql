-- As rebuild_minutes.sql.
insert into rollup_day
select
  day as bucket, type, status, verdict, provider, currency,
  sum(counted) as events, sum(said) as amount_minor, sum(stands) as after_amount_minor,
  sum(began) as firsts, sum(began_with) as first_amount_minor,
  greatest(toUInt64(toUnixTimestamp64Nano(now64(9))), max(former) + 1) as version
from (
  select
    bucket as day, type, status, verdict, provider, currency,
    toUInt64(0) as counted, toInt128(0) as said, toInt128(0) as stands, toUInt64(0) as began, toInt128(0) as began_with,
    version as former
  from rollup_day
  where bucket in {days: Array(Date)}
  union all
  select
    toDate(bucket), type, status, verdict, provider, currency,
    events, amount_minor, after_amount_minor, firsts, first_amount_minor, toUInt64(0)
  from rollup_minute final
  where toDate(bucket) in {days: Array(Date)}
)
group by day, type, status, verdict, provider, currency
