update notifications
set status = $3, attempts = attempts + $4, last_error = $5, finished_at = now()
where notification_id = $1 and claims = $2 and status = 'pending'
