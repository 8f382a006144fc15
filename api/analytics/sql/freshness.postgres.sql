-- $1: since when; $2: how far back the newest event is searched
select
  (extract(epoch from max(created_at)) * 1000000)::int8::text as newest_us,
  count(*) filter (where created_at >= $1)::text as events
from (
  select created_at from order_events where created_at >= $2
  union all
  select created_at from dispute_events where created_at >= $2
) as e
