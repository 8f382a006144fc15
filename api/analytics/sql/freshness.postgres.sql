-- $1: since when; $2: how far back the newest event is searched. What has no journal is in the outbox, as long as that
-- keeps it.
select
  (extract(epoch from max(created_at)) * 1000000)::int8::text as newest_us,
  count(*) filter (where created_at >= $1)::text as events
from (
  select created_at from order_events where created_at >= $2
  union all
  select created_at from dispute_events where created_at >= $2
  union all
  select created_at from outbox where created_at >= $2 and aggregate_type not in ('order', 'dispute')
) as e
