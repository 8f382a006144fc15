update accounts
set status = $2, updated_at = greatest(updated_at, $3), event_sequence = event_sequence + 1
where account_id = $1
returning event_sequence, updated_at
