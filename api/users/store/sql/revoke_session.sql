update sessions set revoked_at = now(), revoked_because = $2
where session_id = $1
