-- What: the orders, one row each, holding the newest state.
-- Why: fillfactor 80 leaves room on each page, so that the updates of an order's life stay HOT; for the same reason no
--      index covers a column that most updates change.
-- Lock: none, the table is new.
create table orders (
  order_id text not null check (length(order_id) between 1 and 64),
  user_id text not null check (length(user_id) between 1 and 64),
  status text not null check (status in ('created', 'updated', 'success', 'failed')),
  amount_minor bigint check (amount_minor > 0),
  currency char(3),
  on_hold boolean not null default false,
  hold_reason text check (hold_reason in ('manual_review', 'risk')),
  sequence bigint not null check (sequence > 0),
  provider text not null,
  provider_updated_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check ((amount_minor is null) = (currency is null)),
  check (on_hold = (hold_reason is not null)),
  primary key (user_id, order_id)
) with (fillfactor = 80);

create index orders_user_id on orders (user_id, created_at, order_id);
create index orders_created_at on orders (created_at, order_id);
