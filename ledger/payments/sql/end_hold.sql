update holds set status = $2, updated_at = $3 where hold_id = $1 and status = 'active'
