-- What: the disputes, one row each, holding the newest state.
-- Why: a dispute exists only for a known order; events that come earlier wait in parked_webhooks.
-- Lock: share row exclusive on orders for the foreign key, for an instant, on an empty table.
create table disputes (
  dispute_id text primary key check (length(dispute_id) between 1 and 64),
  order_id text not null references orders (order_id),
  user_id text not null check (length(user_id) between 1 and 64),
  status text not null check (status in ('open', 'under_review', 'submitted', 'won', 'lost', 'closed', 'canceled')),
  reason text not null check (length(reason) between 1 and 128),
  amount_minor bigint not null check (amount_minor > 0),
  currency char(3) not null,
  sequence bigint not null check (sequence > 0),
  provider text not null,
  provider_updated_at timestamptz not null,
  opened_at timestamptz not null,
  evidence_due_at timestamptz,
  submitted_at timestamptz,
  closed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
) with (fillfactor = 80);

create index disputes_order_id on disputes (order_id);
create index disputes_created_at on disputes (created_at, dispute_id);
create index disputes_status on disputes (status, created_at, dispute_id);
