select s.session_id, s.token_hash, s.revoked_at is null and s.expires_at > now() as is_open, u.user_id, u.email, u.role, u.created_at
from sessions s join users u using (user_id)
where s.session_id = $1
for update of s
