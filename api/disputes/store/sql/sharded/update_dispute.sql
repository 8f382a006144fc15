update disputes
set status = $2, submitted_at = $3, sequence = $4, updated_at = $5
where dispute_id = $1 and user_id = $6
