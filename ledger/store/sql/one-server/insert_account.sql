insert into accounts (account_id, user_id, currency, kind, overdraft_limit_minor, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $6)
on conflict (account_id) do nothing
returning account_id, user_id, currency, kind, status, overdraft_limit_minor, balance_minor, held_minor, version,
  encode(chain_hash, 'hex') as chain_hash, created_at, updated_at, 0::bigint as pending_minor
