insert into disputes (
  dispute_id, order_id, user_id, status, reason, amount_minor, currency, sequence, provider, provider_updated_at,
  charged_back_minor, funds_moved_at, opened_at, evidence_due_at, closed_at, created_at, updated_at
)
select dispute_id, order_id, user_id, status, reason, amount_minor, currency, sequence, provider, provider_updated_at,
  charged_back_minor, funds_moved_at, opened_at, evidence_due_at, closed_at, $16, $16
from unnest(
  $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::bigint[], $9::text[],
  $10::timestamptz[], $11::bigint[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[]
) as d (
  dispute_id, order_id, user_id, status, reason, amount_minor, currency, sequence, provider, provider_updated_at,
  charged_back_minor, funds_moved_at, opened_at, evidence_due_at, closed_at
)
