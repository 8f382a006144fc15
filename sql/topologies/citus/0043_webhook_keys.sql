-- What: one row per provider event that had its effect, written in the transaction of the effect.
-- Why: as in `partitioned`, and a shard cannot enforce what lies in another: the key stands in the shard of its effect.
-- Lock: none, the table is new.
create table webhook_keys (
  provider text not null,
  provider_event_id text not null,
  user_id text not null,
  body_sha256 bytea not null check (length(body_sha256) = 32),
  received_at timestamptz not null default now(),
  primary key (user_id, provider, provider_event_id)
);

create index webhook_keys_received_at on webhook_keys using brin (received_at);
