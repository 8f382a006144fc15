insert into payments (payment_id, user_id, account_id, amount_minor, currency, provider, failover, status, hold_id, charged_by, action_url,
  provider_reference, failure_reason, refunded_minor, refunding_minor, reference, sequence, expires_at, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
