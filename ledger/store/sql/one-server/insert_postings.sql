insert into postings (account_id, sequence, transfer_id, amount_minor, currency, balance_minor, hash, created_at)
select account_id, sequence, transfer_id, amount_minor, currency, balance_minor, decode(hash, 'hex'), created_at
from unnest($1::text[], $2::bigint[], $3::uuid[], $4::bigint[], $5::text[], $6::bigint[], $7::text[], $8::timestamptz[])
  as p (account_id, sequence, transfer_id, amount_minor, currency, balance_minor, hash, created_at)
