update payments
set status = $2,
  charged_by = $3,
  action_url = $4,
  provider_reference = $5,
  failure_reason = $6,
  refunded_minor = $7,
  refunding_minor = $8,
  sequence = $9,
  updated_at = $10
where payment_id = $1
