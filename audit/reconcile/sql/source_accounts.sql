-- Accounts as their newest posting left them. Kept equal to analytics_accounts.sql.
-- $1: first day
select
  a.account_id as id,
  to_char(p.created_at at time zone 'UTC', 'YYYY-MM-DD') as day,
  'account' as type,
  a.currency::text as currency,
  a.balance_minor::numeric as amount,
  ('x' || substr(md5(concat_ws('|',
    a.account_id, a.user_id, a.balance_minor, a.currency, a.version
  )), 1, 16))::bit(64)::bigint::numeric as hash
from accounts a
join postings p on p.account_id = a.account_id and p.sequence = a.version
where p.created_at >= ($1 || 'T00:00:00Z')::timestamptz
