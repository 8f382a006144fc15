update notifications
set next_attempt_at = now() + make_interval(secs => $3), attempts = attempts + $4, last_error = $5
where notification_id = $1 and claims = $2 and status = 'pending'
