select dispute_id, order_id, user_id, status, reason, amount_minor, currency, charged_back_minor, sequence, provider, provider_updated_at,
  opened_at, evidence_due_at, submitted_at, closed_at, created_at, updated_at
from disputes
where dispute_id = $1 and user_id = $2
for no key update
