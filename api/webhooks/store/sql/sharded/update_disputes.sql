update disputes
set status = d.status,
  reason = d.reason,
  sequence = d.sequence,
  provider = d.provider,
  provider_updated_at = d.provider_updated_at,
  opened_at = d.opened_at,
  evidence_due_at = d.evidence_due_at,
  closed_at = d.closed_at,
  updated_at = d.updated_at
from unnest(
  $1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[], $8::timestamptz[],
  $9::timestamptz[], $10::timestamptz[], $11::timestamptz[]
) as d (user_id, dispute_id, status, reason, sequence, provider, provider_updated_at, opened_at, evidence_due_at, closed_at,
  updated_at)
where disputes.user_id = d.user_id and disputes.dispute_id = d.dispute_id and disputes.user_id = any ($1::text[])
