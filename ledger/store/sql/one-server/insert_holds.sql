insert into holds (hold_id, account_id, amount_minor, currency, status, reference, created_at, updated_at)
select * from unnest(
  $1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[]
)
