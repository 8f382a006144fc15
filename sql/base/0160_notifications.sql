-- What: what users are told of domain events: whom, by which channel, in which language, and what became of it.
-- Why: a notification is planned from an event of the outbox by the process in notifications/, and sent by it. The unique
--      constraint makes a repeated event, or one that two processes read, the same notification. `fact` is what the event
--      tells: the event's id, or, where several events can tell the same, a text that is the same in all of them.
--      A process claims a row by moving next_attempt_at into the future; `claims` tells a process that comes back late
--      that the row is not its own any more. No table is split or distributed: the processes claim rows of all users, and
--      on a cluster the coordinator has them, beside users and their sessions.
-- Lock: none, the tables are new.
create table notification_preferences (
  user_id text primary key check (length(user_id) between 1 and 64),
  language text not null default 'en' check (language in ('en', 'de')),
  email boolean not null default true,
  webhook boolean not null default true,
  updated_at timestamptz not null default now()
);

create table webhook_endpoints (
  endpoint_id text primary key check (length(endpoint_id) between 1 and 64),
  user_id text not null check (length(user_id) between 1 and 64),
  url text not null check (length(url) between 1 and 2048),
  -- Of the scheme of Standard Webhooks: whsec_ and base64.
  secret text not null check (secret like 'whsec\_%'),
  -- Whether it gets what concerns every user, and not its own user's only.
  all_users boolean not null default false,
  status text not null default 'active' check (status in ('active', 'disabled')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create index webhook_endpoints_user on webhook_endpoints (user_id);

create table notifications (
  -- Follows from what the unique constraint names: receivers recognise a copy by it.
  notification_id uuid primary key,
  type text not null,
  fact text not null,
  event_id uuid not null,
  user_id text not null,
  channel text not null check (channel in ('email', 'webhook')),
  -- The user, whose address is looked up when it is sent, or the endpoint.
  recipient_id text not null,
  language text not null check (language in ('en', 'de')),
  data jsonb not null,
  occurred_at timestamptz not null,
  -- expired: the event was too old when it was read; canceled: the recipient is not there any more.
  status text not null check (status in ('pending', 'sent', 'dead', 'expired', 'canceled')),
  attempts integer not null default 0,
  claims integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  last_error text check (length(last_error) <= 500),
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  constraint notifications_once unique (type, fact, channel, recipient_id),
  check ((finished_at is null) = (status = 'pending'))
);

create index notifications_open on notifications (status, channel, next_attempt_at) where status in ('pending', 'dead');
create index notifications_user on notifications (user_id, created_at);
create index notifications_time on notifications (created_at);

-- Longer than the outbox, which is loaded again when a reader has lost its place: what was sent must be known then.
insert into retention_settings (table_name, time_column, retention, premake_days)
values ('notifications', 'created_at', interval '90 days', 7);

do $$
begin
  create role lab_notifications nologin;
exception when duplicate_object or unique_violation then
  null;
end
$$;

grant usage on schema public to lab_notifications;
grant select (user_id, email, created_at) on users to lab_notifications;
grant select on notification_preferences, webhook_endpoints, notifications to lab_notifications;
grant insert on notifications to lab_notifications;
grant update (status, attempts, claims, next_attempt_at, last_error, finished_at) on notifications to lab_notifications;
grant update (status, updated_at) on webhook_endpoints to lab_notifications;

grant select, insert on notification_preferences, webhook_endpoints to lab_api;
grant update (language, email, webhook, updated_at) on notification_preferences to lab_api;
grant update (status, updated_at) on webhook_endpoints to lab_api;
grant select on notifications to lab_api;
grant update (status, attempts, next_attempt_at, finished_at) on notifications to lab_api;

-- Not the secrets.
grant select (endpoint_id, user_id, url, all_users, status, created_at, updated_at) on webhook_endpoints to lab_reader;
grant select on notification_preferences, notifications to lab_reader;
