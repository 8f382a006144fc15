-- In the strategy that lets legs wait ($4), all but those that would be contended, unless their limit needs the lock or
-- what waits for them is to be posted.
select account_id, user_id, currency, kind, status, overdraft_limit_minor, balance_minor, held_minor, version,
  encode(chain_hash, 'hex') as chain_hash, created_at, updated_at
from accounts
where account_id = any ($1::text[])
  and (
    not $4::boolean or kind = 'wallet' or account_id = any ($3::text[])
    or (overdraft_limit_minor is not null and account_id = any ($2::text[]))
  )
order by account_id
for no key update
