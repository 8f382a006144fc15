select user_id, email, role, created_at, password_hash
from users
where email = $1
