insert into users (user_id, email, password_hash)
values ($1, $2, $3)
on conflict (email) do nothing
returning user_id, email, role, created_at
