select hold_id, account_id, amount_minor, currency, status, reference, created_at, updated_at from holds where hold_id = $1
