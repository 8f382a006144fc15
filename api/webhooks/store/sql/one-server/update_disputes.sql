update disputes
set status = d.status,
  reason = d.reason,
  amount_minor = d.amount_minor,
  currency = d.currency,
  sequence = d.sequence,
  provider = d.provider,
  provider_updated_at = d.provider_updated_at,
  charged_back_minor = d.charged_back_minor,
  funds_moved_at = d.funds_moved_at,
  opened_at = d.opened_at,
  evidence_due_at = d.evidence_due_at,
  closed_at = d.closed_at,
  updated_at = d.updated_at
from unnest(
  $1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::text[], $8::timestamptz[],
  $9::bigint[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[]
) as d (
  dispute_id, status, reason, amount_minor, currency, sequence, provider, provider_updated_at,
  charged_back_minor, funds_moved_at, opened_at, evidence_due_at, closed_at, updated_at
)
where disputes.dispute_id = d.dispute_id
