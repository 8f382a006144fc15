-- What: every webhook that was received and correctly signed, with what became of it.
-- Why: the proof of what a provider said, and when.
-- Lock: none, the table is new.
create table webhook_deliveries (
  delivery_id uuid not null,
  provider text not null,
  provider_event_id text not null,
  user_id text not null,
  body_sha256 bytea not null check (length(body_sha256) = 32),
  body text not null,
  verdict text not null check (verdict in ('applied', 'duplicate', 'stale', 'parked', 'quarantined', 'ignored')),
  reason text,
  received_at timestamptz not null default now(),
  primary key (user_id, delivery_id, received_at)
) partition by range (received_at);

create index webhook_deliveries_received_at on webhook_deliveries using brin (received_at);
