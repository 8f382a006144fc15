-- Also against those who only keep the status as it is: see share_accounts.
select account_id, user_id, currency, kind, status, overdraft_limit_minor, balance_minor, held_minor, version,
  encode(chain_hash, 'hex') as chain_hash, created_at, updated_at
from accounts
where account_id = $1
for update
