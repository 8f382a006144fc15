insert into transfers (
  transfer_id, kind, from_account_id, to_account_id, amount_minor, currency, to_amount_minor, to_currency, rate,
  reference, created_at
)
select * from unnest(
  $1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bigint[], $8::text[], $9::numeric[],
  $10::text[], $11::timestamptz[]
)
