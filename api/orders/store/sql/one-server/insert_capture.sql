insert into captures (capture_id, order_id, idempotency_key, amount_minor, currency, status, leased_until, created_at, updated_at)
values ($1, $2, $3, $4, $5, 'requested', $6, $7, $7)
