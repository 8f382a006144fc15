-- What: captures of an order at its provider, with the outcome as far as it is known.
-- Why: the row is committed before the provider is asked. Whoever finds it in `requested` asks the provider by the
--      capture's id instead of capturing again. Until leased_until somebody is presumably still asking; nothing but
--      politeness rests on it, because the provider captures once per capture_id.
-- Lock: share row exclusive on orders for the foreign key, for an instant, on an empty table.
create table captures (
  capture_id uuid primary key,
  order_id text not null references orders (order_id),
  idempotency_key text not null check (length(idempotency_key) between 1 and 255),
  amount_minor bigint not null check (amount_minor > 0),
  currency char(3) not null,
  status text not null check (status in ('requested', 'completed', 'failed')),
  provider_reference text,
  failure_reason text,
  leased_until timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (order_id, idempotency_key)
);

create index captures_requested on captures (created_at) where status = 'requested';
