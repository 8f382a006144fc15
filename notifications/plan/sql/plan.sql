-- One row for each channel by which the event's user, or an endpoint that watches all users, wants to be told.
with facts as (
  select * from jsonb_to_recordset($1::jsonb)
    as f (type text, fact text, event_id uuid, user_id text, occurred_at timestamptz, data jsonb)
),
wanted as (
  select f.*, 'email' as channel, u.user_id as recipient_id, coalesce(p.language, 'en') as language
  from facts f
  join users u on u.user_id = f.user_id
  left join notification_preferences p on p.user_id = f.user_id
  where coalesce(p.email, true)
  union all
  select f.*, 'webhook', e.endpoint_id, coalesce(p.language, 'en')
  from facts f
  join webhook_endpoints e on (e.user_id = f.user_id or e.all_users) and e.status = 'active'
  left join notification_preferences p on p.user_id = e.user_id
  where coalesce(p.webhook, true)
)
insert into notifications
  (notification_id, type, fact, event_id, user_id, channel, recipient_id, language, data, occurred_at, status, finished_at)
select
  substr(encode(sha256(convert_to(concat_ws(' ', type, fact, channel, recipient_id), 'UTF8')), 'hex'), 1, 32)::uuid,
  type, fact, event_id, user_id, channel, recipient_id, language, data, occurred_at,
  case when is_late then 'expired' else 'pending' end,
  case when is_late then now() end
from wanted
cross join lateral (select occurred_at < now() - make_interval(secs => $2) as is_late) late
on conflict do nothing
returning status
