insert into security_events (event_id, kind, user_id, session_id, address, request_id)
values ($1, $2, $3, $4, $5, $6)
