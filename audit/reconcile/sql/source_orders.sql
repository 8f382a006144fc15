-- $1: first day
select
  order_id as id,
  to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD') as day,
  'order' as type,
  coalesce(currency, '') as currency,
  coalesce(amount_minor, 0)::numeric as amount,
  ('x' || substr(md5(concat_ws('|',
    order_id, user_id, status, coalesce(amount_minor::text, ''), coalesce(currency, ''), sequence
  )), 1, 16))::bit(64)::bigint::numeric as hash
from orders
where updated_at >= ($1 || 'T00:00:00Z')::timestamptz
