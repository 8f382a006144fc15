-- Every event with what analytics must have of it; `hash` covers all of that. Kept equal to analytics_events.sql.
-- $1: first day
select
  event_id::text as id,
  to_char(created_at at time zone 'UTC', 'YYYY-MM-DD') as day,
  event_type as type,
  currency,
  amount_minor::numeric as amount,
  ('x' || substr(md5(concat_ws('|',
    event_id, event_type, aggregate_type, aggregate_id, user_id, sequence,
    (extract(epoch from created_at) * 1000000)::bigint, coalesce(said, ''), currency,
    coalesce(payload ->> 'status', ''), coalesce(payload ->> 'verdict', ''), coalesce(payload ->> 'provider', ''),
    coalesce(payload ->> 'order_id', ''), coalesce(payload -> 'after' ->> 'status', ''),
    coalesce(payload -> 'after' ->> 'amount_minor', '')
  )), 1, 16))::bit(64)::bigint::numeric as hash
from outbox
cross join lateral (
  select
    payload ->> 'amount_minor' as said,
    coalesce(nullif(payload ->> 'currency', ''), payload -> 'after' ->> 'currency', '') as currency,
    coalesce((payload ->> 'amount_minor')::bigint, 0) as amount_minor
) as read
where created_at >= ($1 || 'T00:00:00Z')::timestamptz
