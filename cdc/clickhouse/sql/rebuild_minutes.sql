-- Rows that no event explains any more get zeros: leaving them out would keep the former counts. A clock that was set
-- back must not make the former row the newer one. The former rows are read first: whatever rebuild they are of, the
-- events that it saw are seen here too.
insert into rollup_minute
select
  minute as bucket, type, status, verdict, provider, currency,
  sum(counted) as events, sum(said) as amount_minor, sum(stands) as after_amount_minor,
  sum(began) as firsts, sum(began * stands) as first_amount_minor,
  greatest(toUInt64(toUnixTimestamp64Nano(now64(9))), max(former) + 1) as version
from (
  select
    bucket as minute, type, status, verdict, provider, currency,
    toUInt64(0) as counted, toInt128(0) as said, toInt128(0) as stands, toUInt64(0) as began, version as former
  from rollup_minute
  where bucket in {minutes: Array(DateTime('UTC'))}
  union all
  select
    toStartOfMinute(occurred_at), type, status, verdict, provider, currency,
    toUInt64(1), toInt128(ifNull(amount_minor, 0)), toInt128(ifNull(after_amount_minor, 0)),
    toUInt64(sequence = 1), toUInt64(0)
  from events final
  where toStartOfMinute(occurred_at) in {minutes: Array(DateTime('UTC'))}
)
group by minute, type, status, verdict, provider, currency
