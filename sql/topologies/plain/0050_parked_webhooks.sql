-- What: webhooks that wait for their order.
-- Why: providers deliver out of order. The row holds the mapped event and leaves in the transaction that applies it.
-- Lock: none, the table is new.
create table parked_webhooks (
  provider text not null,
  provider_event_id text not null,
  order_id text not null,
  event jsonb not null,
  received_at timestamptz not null,
  primary key (provider, provider_event_id)
);

create index parked_webhooks_order_id on parked_webhooks (order_id);
