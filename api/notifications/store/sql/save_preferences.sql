insert into notification_preferences (user_id, language, email, webhook)
values ($1, coalesce($2, 'en'), coalesce($3, true), coalesce($4, true))
on conflict (user_id) do update
set language = coalesce($2, notification_preferences.language),
    email = coalesce($3, notification_preferences.email),
    webhook = coalesce($4, notification_preferences.webhook),
    updated_at = now()
returning user_id, language, email, webhook, updated_at
