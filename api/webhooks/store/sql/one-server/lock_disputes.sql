select dispute_id, order_id, user_id, status, reason, amount_minor, currency, sequence, provider, provider_updated_at,
  charged_back_minor, funds_moved_at, opened_at, evidence_due_at, closed_at, updated_at
from disputes
where dispute_id = any ($1::text[])
order by dispute_id
for no key update
