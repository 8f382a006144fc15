-- What: every event of a dispute, numbered 1..n without gaps.
-- Why: the history that the lab reads by time range, by dispute and by kind.
-- Lock: none, the table is new.
create table dispute_events (
  event_id uuid not null,
  dispute_id text not null,
  order_id text not null,
  user_id text not null,
  sequence bigint not null,
  kind text not null check (kind in ('webhook_opened', 'webhook_updated', 'provider_decision', 'evidence_added', 'evidence_submitted')),
  provider text,
  provider_event_id text,
  data jsonb not null,
  created_at timestamptz not null default now(),
  primary key (user_id, event_id, created_at)
) partition by range (created_at);

create index dispute_events_sequence on dispute_events (dispute_id, sequence);
create index dispute_events_created_at on dispute_events (created_at, event_id);
create index dispute_events_kind on dispute_events (kind, created_at, event_id);
