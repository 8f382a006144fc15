select account_id, user_id, currency, kind, status, overdraft_limit_minor, balance_minor, held_minor, version,
  encode(chain_hash, 'hex') as chain_hash, created_at, updated_at,
  (select coalesce(sum(amount_minor), 0)::bigint from balance_deltas where account_id = $1) as pending_minor
from accounts
where account_id = $1
