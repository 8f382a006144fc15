-- What: every event of an order, numbered 1..n without gaps.
-- Why: the history that the lab reads by time range, by order and by kind.
-- Lock: none, the table is new.
create table order_events (
  event_id uuid not null,
  order_id text not null,
  user_id text not null,
  sequence bigint not null,
  kind text not null check (kind in ('webhook_received', 'hold_set', 'hold_cleared', 'capture_requested', 'capture_completed', 'capture_failed')),
  provider text,
  provider_event_id text,
  data jsonb not null,
  created_at timestamptz not null default now(),
  primary key (user_id, event_id, created_at)
) partition by range (created_at);

create index order_events_sequence on order_events (order_id, sequence);
create index order_events_created_at on order_events (created_at, event_id);
create index order_events_kind on order_events (kind, created_at, event_id);
