update notifications
set status = 'pending', attempts = 0, next_attempt_at = now(), finished_at = null
where notification_id = $1 and status = 'dead'
