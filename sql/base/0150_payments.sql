-- What: payments through a provider with their events and refunds, and the commands that wait for the payment worker.
--       Transfers get the kinds payment and refund, and a hold can end captured.
-- Why: payment_events are the record, and only ever added: the rows of payments and refunds are what they add up to. A
--      command is what a process may work on: its owner holds a lease, and the fence is raised with each new owner, so
--      that one that comes back late changes nothing. It leaves with its outcome, so that this table stays small; one
--      that was given up stays as `dead` until an operator replays it. The command's id is the key under which the
--      provider is asked. Neither payments nor their events expire.
-- Lock: access exclusive on transfers and holds, for an instant: not valid, then validated under share update exclusive.
alter table transfers drop constraint transfers_kind_check;
alter table transfers add constraint transfers_kind_check
  check (kind in ('transfer', 'top_up', 'withdrawal', 'payment', 'refund')) not valid;
alter table transfers validate constraint transfers_kind_check;
alter table holds drop constraint holds_status_check;
alter table holds add constraint holds_status_check check (status in ('active', 'released', 'captured')) not valid;
alter table holds validate constraint holds_status_check;

create table payments (
  payment_id uuid primary key,
  user_id text not null check (length(user_id) between 1 and 64),
  account_id text not null references accounts (account_id),
  amount_minor bigint not null check (amount_minor > 0),
  currency char(3) not null,
  -- The provider that the caller wants, and whether another one may take its place while it is away.
  provider text not null check (provider in ('card', 'wallet')),
  failover boolean not null,
  status text not null
    check (status in ('pending', 'processing', 'completed', 'failed', 'canceled', 'partially_refunded', 'refunded')),
  hold_id uuid not null unique references holds (hold_id),
  -- The provider that has been asked or is about to be: it is never changed, so that no other one can charge as well.
  charged_by text check (charged_by in ('card', 'wallet')),
  -- Where the payer has to agree, while the provider waits for it.
  action_url text,
  provider_reference text,
  failure_reason text,
  refunded_minor bigint not null default 0 check (refunded_minor >= 0),
  refunding_minor bigint not null default 0 check (refunding_minor >= 0),
  reference text check (length(reference) between 1 and 140),
  -- Of its newest event.
  sequence bigint not null check (sequence > 0),
  expires_at timestamptz not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  check (refunded_minor + refunding_minor <= amount_minor),
  check (charged_by is not null or status in ('pending', 'failed', 'canceled'))
);

create index payments_created_at on payments (created_at, payment_id);
create index payments_user on payments (user_id, created_at, payment_id);

create table payment_events (
  payment_id uuid not null references payments (payment_id),
  sequence bigint not null check (sequence > 0),
  event_id uuid not null,
  user_id text not null,
  kind text not null check (kind in (
    'created', 'processing', 'action_required', 'completed', 'failed', 'canceled',
    'refund_requested', 'refunded', 'refund_failed'
  )),
  data jsonb not null,
  created_at timestamptz not null,
  primary key (payment_id, sequence)
);

create trigger append_only before update or delete or truncate on payment_events
  for each statement execute function refuse_change();

create table refunds (
  refund_id uuid primary key,
  payment_id uuid not null references payments (payment_id),
  amount_minor bigint not null check (amount_minor > 0),
  currency char(3) not null,
  status text not null check (status in ('pending', 'completed', 'failed')),
  provider_reference text,
  failure_reason text,
  reason text check (length(reason) between 1 and 140),
  created_at timestamptz not null,
  updated_at timestamptz not null
);

create index refunds_payment on refunds (payment_id);

create table payment_commands (
  -- Of the payment that is to be charged, or of the refund.
  command_id uuid primary key,
  payment_id uuid not null references payments (payment_id),
  operation text not null check (operation in ('charge', 'refund')),
  status text not null default 'open' check (status in ('open', 'dead')),
  attempts integer not null default 0 check (attempts >= 0),
  fence bigint not null default 0,
  leased_by text,
  leased_until timestamptz,
  run_at timestamptz not null,
  last_error text,
  created_at timestamptz not null
);

create index payment_commands_due on payment_commands (run_at) where status = 'open';

grant select on payments, payment_events, refunds, payment_commands to lab_api, lab_worker, lab_reader;
grant insert on payments, payment_events, refunds, payment_commands to lab_api;
grant update (
  status, charged_by, action_url, provider_reference, failure_reason, refunded_minor, refunding_minor, sequence, updated_at
) on payments to lab_api;
grant update (status, provider_reference, failure_reason, updated_at) on refunds to lab_api;
grant update (status, attempts, fence, leased_by, leased_until, run_at, last_error) on payment_commands to lab_api;
grant delete on payment_commands to lab_api;
grant select (payment_id, status, currency, amount_minor, refunded_minor, provider, charged_by, created_at, updated_at) on payments to lab_grafana;
