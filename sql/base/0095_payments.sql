-- What: how an order is paid (attempts and operations with their sums), whose a guest's order turned out to be, what a
--       dispute has cost, which attempt belongs to which order, and the webhooks that wait for an operator.
-- Why: an order is paid in several attempts, captured and refunded in parts, and its user may become known late. The
--      attempts are one document of the order, because they are read, decided and written with its row, under its lock;
--      the sums stand beside it for queries. A provider may name an order by an attempt only: order_attempts leads to
--      it. What contradicts an order was acknowledged: it waits in quarantined_webhooks until an operator decides.
-- Lock: access exclusive on orders, disputes and parked_webhooks for an instant; the defaults are constants.
alter table orders
  add column customer_id text,
  add column payments jsonb,
  add column authorised_minor bigint not null default 0,
  add column captured_minor bigint not null default 0,
  add column refunded_minor bigint not null default 0;
-- Citus takes a constraint only by itself and by name.
alter table orders add constraint orders_customer_id_check check (length(customer_id) between 1 and 64);

create index orders_customer_id on orders (customer_id, created_at, order_id) where customer_id is not null;

alter table disputes
  add column charged_back_minor bigint not null default 0,
  add column funds_moved_at timestamptz;

alter table parked_webhooks add column attempt_reference text;

create index parked_webhooks_attempt on parked_webhooks (attempt_reference) where attempt_reference is not null;

create table order_attempts (
  reference text primary key,
  order_id text not null
);

create table quarantined_webhooks (
  -- Where rows lie in shards, the user under whom the delivery lies; else empty.
  user_id text not null,
  provider text not null,
  provider_event_id text not null,
  -- SHA-256 of the body in hexadecimal digits; empty for one that has waited for its order before.
  digest text not null,
  reason text not null,
  event jsonb not null,
  received_at timestamptz not null,
  -- Null while it waits.
  decision text check (decision in ('applied', 'dropped')),
  decided_at timestamptz,
  note text,
  primary key (user_id, provider, provider_event_id, digest),
  check ((decision is null) = (decided_at is null))
);

create index quarantined_webhooks_waiting on quarantined_webhooks (received_at) where decision is null;

grant select on order_attempts, quarantined_webhooks to lab_api, lab_worker, lab_reader;
grant insert on order_attempts, quarantined_webhooks to lab_api;
grant select (customer_id, authorised_minor, captured_minor, refunded_minor) on orders to lab_grafana;
grant select (charged_back_minor) on disputes to lab_grafana;
