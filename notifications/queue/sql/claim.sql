with due as (
  select notification_id from notifications
  where status = 'pending' and channel = $1 and next_attempt_at <= now()
  order by next_attempt_at
  limit $2
  for update skip locked
),
claimed as (
  update notifications n
  set next_attempt_at = now() + make_interval(secs => $3), claims = n.claims + 1
  from due where n.notification_id = due.notification_id
  returning n.*
)
select c.notification_id, c.claims, c.attempts, c.type, c.user_id, c.recipient_id, c.language, c.data, c.occurred_at,
       u.email, e.url, e.secret
from claimed c
left join users u on c.channel = 'email' and u.user_id = c.recipient_id
left join webhook_endpoints e on c.channel = 'webhook' and e.endpoint_id = c.recipient_id and e.status = 'active'
