-- Users and sessions are what the log of security events says: registered once, logged in once for each session, ended
-- for the reason that was logged, and not alive behind an end. Each session has a token of its own.
with kept as (
  select now() - retention as since from retention_settings where table_name = 'security_events'
), logged as (
  select session_id, array_agg(kind) as kinds, min(user_id) filter (where kind = 'logged_in') as opened_by,
    count(*) filter (where kind = 'logged_in') as times
  from security_events
  where session_id is not null
  group by session_id
), broken as (
  select 'session ' || s.session_id || ': ' || case
      when l.times is distinct from 1 then coalesce(l.times, 0) || ' logins in the log'
      when l.opened_by is distinct from s.user_id then 'of ' || s.user_id || ', opened by ' || coalesce(l.opened_by, 'no user')
      when s.revoked_because = 'logged_out' and not 'logged_out' = any (l.kinds) then 'ended by a logout that is not in the log'
      when s.revoked_because = 'reused' and not 'refresh_reused' = any (l.kinds) then 'ended by a reuse that is not in the log'
      when s.revoked_at is null then 'alive, and the log says that it ended'
      when s.refreshed_at < s.created_at or s.refreshed_at > s.expires_at then 'refreshed outside of its life'
      else 'has the token of another session'
    end as example
  from kept, sessions s
  left join logged l using (session_id)
  where s.created_at >= since and (
    l.times is distinct from 1
    or l.opened_by is distinct from s.user_id
    or s.revoked_because = 'logged_out' and not 'logged_out' = any (l.kinds)
    or s.revoked_because = 'reused' and not 'refresh_reused' = any (l.kinds)
    or s.revoked_at is null and l.kinds && array['logged_out', 'refresh_reused']
    or s.refreshed_at < s.created_at
    or s.refreshed_at > s.expires_at
    or exists (select from sessions other where other.token_hash = s.token_hash and other.session_id <> s.session_id)
  )
  union all
  select 'user ' || u.user_id || ': registered ' || count(e.event_id) || ' times in the log'
  from kept, users u
  left join security_events e on e.user_id = u.user_id and e.kind = 'registered'
  where u.created_at >= since
  group by u.user_id
  having count(e.event_id) <> 1
  union all
  select 'user ' || u.user_id || ': its password is no Argon2id hash' from users u where u.password_hash not like '$argon2id$%'
  union all
  select 'user ' || e.user_id || ': in the log, and not there'
  from security_events e
  left join users u using (user_id)
  where e.kind = 'registered' and u.user_id is null
)
select
  (select count(*) from sessions) + (select count(*) from users) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
