insert into sessions (session_id, user_id, token_hash, expires_at)
values ($1, $2, $3, now() + make_interval(secs => $4))
