select payment_id, user_id, account_id, amount_minor, currency, provider, failover, status, hold_id, charged_by, action_url,
  provider_reference, failure_reason, refunded_minor, refunding_minor, reference, sequence, expires_at, created_at, updated_at
from payments
where payment_id = $1
