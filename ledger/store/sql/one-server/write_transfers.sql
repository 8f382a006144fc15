-- Transfers with their accounts, postings, keys and events in one statement: as statements of their own they would cost a
-- transfer that has a transaction to itself as much again. Triggers run when all of it is there.
with transferred as (
  insert into transfers (
    transfer_id, kind, from_account_id, to_account_id, amount_minor, currency, to_amount_minor, to_currency, rate,
    reference, created_at
  )
  select * from unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bigint[], $8::text[], $9::numeric[],
    $10::text[], $11::timestamptz[]
  )
), changed as (
  update accounts
  set balance_minor = a.balance_minor,
    held_minor = a.held_minor,
    version = a.version,
    chain_hash = decode(a.chain_hash, 'hex'),
    updated_at = a.updated_at
  from unnest($12::text[], $13::bigint[], $14::bigint[], $15::bigint[], $16::text[], $17::timestamptz[])
    as a (account_id, balance_minor, held_minor, version, chain_hash, updated_at)
  where accounts.account_id = a.account_id
), posted as (
  insert into postings (account_id, sequence, transfer_id, amount_minor, currency, balance_minor, hash, created_at)
  select account_id, sequence, transfer_id, amount_minor, currency, balance_minor, decode(hash, 'hex'), created_at
  from unnest($18::text[], $19::bigint[], $20::uuid[], $21::bigint[], $22::text[], $23::bigint[], $24::text[], $25::timestamptz[])
    as p (account_id, sequence, transfer_id, amount_minor, currency, balance_minor, hash, created_at)
)
-- A row that is there has expired, else it was found before. If it has not, the null is refused, and with it all of this.
insert into idempotency_keys (principal, key, request_sha256, status, body, created_at)
select principal, key, decode(request_sha256, 'hex'), status, body, created_at
from unnest($26::text[], $27::text[], $28::text[], $29::smallint[], string_to_array($30, e'\x1e'), $31::timestamptz[])
  as k (principal, key, request_sha256, status, body, created_at)
on conflict (principal, key) do update
set request_sha256 = excluded.request_sha256,
  status = excluded.status,
  body = excluded.body,
  created_at = case
    when idempotency_keys.created_at <= excluded.created_at - interval '24 hours' then excluded.created_at
  end
