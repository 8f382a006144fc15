-- What: one row per provider event that had its effect, written in the transaction of the effect.
-- Why: a partitioned table cannot enforce uniqueness without its partition key, and `unique (key, received_at)` would
--      deduplicate nothing across days. So the key lives in an ordinary table and outlives the deliveries.
-- Lock: none, the table is new.
create table webhook_keys (
  provider text not null,
  provider_event_id text not null,
  body_sha256 bytea not null check (length(body_sha256) = 32),
  received_at timestamptz not null default now(),
  primary key (provider, provider_event_id)
);

create index webhook_keys_received_at on webhook_keys using brin (received_at);
