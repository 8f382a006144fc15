-- $1: first day
select
  dispute_id as id,
  to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD') as day,
  'dispute' as type,
  currency::text as currency,
  amount_minor::numeric as amount,
  ('x' || substr(md5(concat_ws('|',
    dispute_id, order_id, user_id, status, reason, amount_minor, currency, sequence
  )), 1, 16))::bit(64)::bigint::numeric as hash
from disputes
where updated_at >= ($1 || 'T00:00:00Z')::timestamptz
