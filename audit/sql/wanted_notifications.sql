-- By which channel a recipient wants to be told of which user's events, and since when nothing about that has changed.
select 'email' as channel, u.user_id as recipient_id, u.user_id as about_user, greatest(u.created_at, p.updated_at) as since
from users u
left join notification_preferences p on p.user_id = u.user_id
where coalesce(p.email, true)
union all
select 'webhook', e.endpoint_id, case when e.all_users then null else e.user_id end, greatest(e.updated_at, p.updated_at)
from webhook_endpoints e
left join notification_preferences p on p.user_id = e.user_id
where coalesce(p.webhook, true) and e.status = 'active'
