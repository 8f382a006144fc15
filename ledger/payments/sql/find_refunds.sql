select refund_id, payment_id, amount_minor, currency, status, provider_reference, failure_reason, reason, created_at, updated_at
from refunds
where payment_id = $1
order by created_at, refund_id
