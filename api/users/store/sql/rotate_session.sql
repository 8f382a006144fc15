update sessions set token_hash = $2, refreshed_at = now()
where session_id = $1
