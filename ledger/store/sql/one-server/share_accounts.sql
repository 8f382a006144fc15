-- The accounts that lock_accounts leaves out. Nothing but a change of their status waits for this lock.
select account_id, user_id, currency, kind, status, overdraft_limit_minor, balance_minor, held_minor, version,
  encode(chain_hash, 'hex') as chain_hash, created_at, updated_at
from accounts
where account_id = any ($1::text[])
  and not (
    kind = 'wallet' or account_id = any ($3::text[])
    or (overdraft_limit_minor is not null and account_id = any ($2::text[]))
  )
order by account_id
for key share
