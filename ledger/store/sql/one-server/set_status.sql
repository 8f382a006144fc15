update accounts set status = $2, updated_at = greatest(updated_at, $3) where account_id = $1
