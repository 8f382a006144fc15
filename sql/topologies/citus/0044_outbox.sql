-- What: the events for the outside, written in the transaction of their effect and never updated.
-- Why: change data capture reads them from the WAL in commit order; nobody polls this table.
-- Lock: none, the table is new.
create table outbox (
  event_id uuid not null,
  aggregate_type text not null,
  aggregate_id text not null,
  user_id text not null,
  sequence bigint not null,
  event_type text not null,
  payload jsonb not null,
  headers jsonb not null,
  created_at timestamptz not null default now(),
  primary key (user_id, event_id, created_at)
) partition by range (created_at);
