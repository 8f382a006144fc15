select capture_id, order_id, amount_minor, currency, status, provider_reference, failure_reason, leased_until, created_at,
  updated_at
from captures
where order_id = $1 and user_id = $3 and idempotency_key = $2
