update accounts
set balance_minor = a.balance_minor,
  held_minor = a.held_minor,
  version = a.version,
  chain_hash = decode(a.chain_hash, 'hex'),
  updated_at = a.updated_at
from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::timestamptz[])
  as a (account_id, balance_minor, held_minor, version, chain_hash, updated_at)
where accounts.account_id = a.account_id
