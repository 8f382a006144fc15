-- What: users with their passwords' hashes, their sessions, the attempts to log in, and an append-only log of what
--       concerns access.
-- Why: one row is one session, whose current refresh token it knows by its hash: a token of the session that is not the
--      current one was used before. Attempts are counted in the database, so that neither a restart nor another process
--      forgets them. No table is split or distributed: each has a row or a few for a person and not for a payment, and a
--      login knows an email address and no user, so that no shard could be chosen. On a cluster the coordinator has them.
-- Lock: none, the tables are new.
create table users (
  user_id text primary key check (length(user_id) between 1 and 64),
  -- Normalised: composed characters, lower case, the domain in ASCII.
  email text not null unique check (length(email) between 3 and 254),
  -- Argon2id in the PHC string format, with its parameters and its salt.
  password_hash text not null,
  role text not null default 'customer' check (role in ('customer', 'operator', 'admin')),
  created_at timestamptz not null default now()
);

create table sessions (
  session_id uuid primary key,
  user_id text not null references users (user_id),
  -- SHA-256 of the secret of the current refresh token.
  token_hash bytea not null check (length(token_hash) = 32),
  created_at timestamptz not null default now(),
  refreshed_at timestamptz,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  revoked_because text check (revoked_because in ('logged_out', 'reused')),
  check ((revoked_at is null) = (revoked_because is null))
);

create index sessions_user on sessions (user_id);
create index sessions_expiry on sessions (expires_at);

create table login_throttles (
  -- What is counted: `account:` and a digest of the email address, `address:` or `register:` and an IP address.
  key text primary key,
  attempts integer not null,
  window_ends_at timestamptz not null
);

create index login_throttles_window on login_throttles (window_ends_at);

create table security_events (
  event_id uuid primary key,
  kind text not null check (kind in ('registered', 'logged_in', 'login_failed', 'throttled', 'logged_out', 'refresh_reused')),
  -- Null where the email address belongs to no user.
  user_id text,
  session_id uuid,
  address text,
  -- Of the answer's X-Request-ID.
  request_id text,
  created_at timestamptz not null default now()
);

create index security_events_time on security_events (created_at);
create index security_events_user on security_events (user_id, created_at);

insert into retention_settings (table_name, time_column, retention, premake_days)
values
  ('sessions', 'expires_at', interval '30 days', 7),
  ('login_throttles', 'window_ends_at', interval '2 days', 7),
  ('security_events', 'created_at', interval '400 days', 7);

grant select, insert on users, sessions, login_throttles to lab_api;
grant insert on security_events to lab_api;
grant update (token_hash, refreshed_at, revoked_at, revoked_because) on sessions to lab_api;
grant update (attempts, window_ends_at) on login_throttles to lab_api;
-- Neither hashes of passwords nor those of tokens.
grant select (user_id, email, role, created_at) on users to lab_reader, lab_worker;
grant select (session_id, user_id, created_at, refreshed_at, expires_at, revoked_at, revoked_because) on sessions to lab_reader;
grant select on security_events to lab_reader;
