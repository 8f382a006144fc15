insert into balance_deltas (account_id, transfer_id, amount_minor, currency, created_at)
select * from unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::timestamptz[])
