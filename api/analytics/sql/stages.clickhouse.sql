-- One row per stage that any event of the window passed, in ms. An event that was stored with the times of a past day, as
-- by `lab send --since`, has waited neither for the API nor for COMMIT.
select stage, toString(count()) as events, round(quantileExact(0.5)(ms)) as p50_ms, round(quantileExact(0.99)(ms)) as p99_ms
from (
  select
    arrayJoin([
      ('accepted', dateDiff('millisecond', sent_at, accepted_at)),
      ('committed', dateDiff('millisecond', accepted_at, committed_at)),
      ('read', dateDiff('millisecond', committed_at, read_at)),
      ('published', dateDiff('millisecond', read_at, published_at)),
      ('sunk', dateDiff('millisecond', coalesce(published_at, read_at, committed_at), sunk_at)),
      ('total', dateDiff('millisecond', committed_at, sunk_at))
    ]) as step,
    step.1 as stage,
    step.2 as ms
  from events final
  where toStartOfMinute(occurred_at) >= {from: DateTime('UTC')}
)
where ms is not null and not (stage in ('accepted', 'committed') and ms >= 86400000)
group by stage
order by indexOf(['accepted', 'committed', 'read', 'published', 'sunk', 'total'], stage)
