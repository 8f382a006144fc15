insert into refunds (
  refund_id, payment_id, amount_minor, currency, status, provider_reference, failure_reason, reason, created_at, updated_at
)
select * from unnest(
  $1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[]
)
on conflict (refund_id) do update
set status = excluded.status,
  provider_reference = excluded.provider_reference,
  failure_reason = excluded.failure_reason,
  updated_at = excluded.updated_at
