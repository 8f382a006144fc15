-- $1, $2: time range; $3: currency; $4: limit
with e as (
  select user_id, true as orders, sequence, data
  from order_events
  where created_at >= $1 and created_at < $2
  union all
  select user_id, false, sequence, data
  from dispute_events
  where created_at >= $1 and created_at < $2
), r as (
  select
    user_id collate "C" as user_id, orders, sequence,
    orders and data ->> 'verdict' = 'applied' and data ->> 'status' = 'success' as success,
    (data -> 'after' ->> 'amount_minor')::numeric as after_minor
  from e
  where coalesce(nullif(data ->> 'currency', ''), data -> 'after' ->> 'currency', '') = $3
)
select
  user_id,
  count(*) filter (where orders and sequence = 1)::text as created,
  count(*) filter (where success)::text as succeeded,
  count(*) filter (where not orders and sequence = 1)::text as disputes_opened,
  coalesce(sum(after_minor) filter (where success), 0)::text as volume_minor
from r
group by user_id
order by coalesce(sum(after_minor) filter (where success), 0) desc, user_id
limit $4
