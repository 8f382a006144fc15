create role lab_api nologin;
create role lab_cdc nologin replication;
create role lab_grafana nologin;
create role lab_migrate nologin;
create role lab_notifications nologin;
create role lab_reader nologin;
create role lab_worker nologin;

create table accounts (
  account_id text not null,
  user_id text not null,
  currency character(3) not null,
  kind text not null,
  status text not null default 'active'::text,
  overdraft_limit_minor bigint,
  balance_minor bigint not null default 0,
  held_minor bigint not null default 0,
  version bigint not null default 0,
  chain_hash bytea not null default decode(repeat('00'::text, 32), 'hex'::text),
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  event_sequence bigint not null default 1,
  constraint accounts_pkey PRIMARY KEY (account_id),
  constraint accounts_account_id_check CHECK (((length(account_id) >= 1) AND (length(account_id) <= 64))),
  constraint accounts_chain_hash_check CHECK ((length(chain_hash) = 32)),
  constraint accounts_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint accounts_empty_when_closed CHECK (((status <> 'closed'::text) OR ((balance_minor = 0) AND (held_minor = 0)))),
  constraint accounts_event_sequence_check CHECK ((event_sequence >= 0)),
  constraint accounts_held_minor_check CHECK ((held_minor >= 0)),
  constraint accounts_kind_check CHECK ((kind = ANY (ARRAY['wallet'::text, 'merchant'::text, 'clearing'::text, 'fees'::text, 'external'::text]))),
  constraint accounts_limited CHECK (((overdraft_limit_minor IS NOT NULL) OR (kind = ANY (ARRAY['clearing'::text, 'external'::text])))),
  constraint accounts_overdraft_limit_minor_check CHECK ((overdraft_limit_minor >= 0)),
  constraint accounts_status_check CHECK ((status = ANY (ARRAY['active'::text, 'frozen'::text, 'closed'::text]))),
  constraint accounts_user_id_check CHECK (((length(user_id) >= 1) AND (length(user_id) <= 64))),
  constraint accounts_version_check CHECK ((version >= 0)),
  constraint accounts_within_overdraft CHECK (((overdraft_limit_minor IS NULL) OR (((balance_minor)::numeric - (held_minor)::numeric) >= ((- overdraft_limit_minor))::numeric)))
);
CREATE INDEX accounts_user ON public.accounts USING btree (user_id, created_at);
grant insert, select on accounts to lab_api;
grant update (status, balance_minor, held_minor, version, chain_hash, updated_at, event_sequence) on accounts to lab_api;
grant select on accounts to lab_reader;
grant select on accounts to lab_worker;

create table balance_deltas (
  account_id text not null,
  transfer_id uuid not null,
  amount_minor bigint not null,
  currency character(3) not null,
  created_at timestamp with time zone not null,
  constraint balance_deltas_pkey PRIMARY KEY (account_id, transfer_id),
  constraint balance_deltas_amount_minor_check CHECK ((amount_minor <> 0))
);
CREATE INDEX balance_deltas_transfer ON public.balance_deltas USING btree (transfer_id);
grant delete, insert, select on balance_deltas to lab_api;
grant select on balance_deltas to lab_reader;
grant select on balance_deltas to lab_worker;

create table captures (
  capture_id uuid not null,
  order_id text not null,
  user_id text not null,
  idempotency_key text not null,
  amount_minor bigint not null,
  currency character(3) not null,
  status text not null,
  provider_reference text,
  failure_reason text,
  leased_until timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint captures_pkey PRIMARY KEY (user_id, capture_id),
  constraint captures_user_id_order_id_idempotency_key_key UNIQUE (user_id, order_id, idempotency_key),
  constraint captures_user_id_order_id_fkey FOREIGN KEY (user_id, order_id) REFERENCES orders(user_id, order_id),
  constraint captures_amount_minor_check CHECK ((amount_minor > 0)),
  constraint captures_idempotency_key_check CHECK (((length(idempotency_key) >= 1) AND (length(idempotency_key) <= 255))),
  constraint captures_status_check CHECK ((status = ANY (ARRAY['requested'::text, 'completed'::text, 'failed'::text])))
);
CREATE INDEX captures_requested ON public.captures USING btree (created_at) WHERE (status = 'requested'::text);
grant insert, select on captures to lab_api;
grant update (user_id, idempotency_key, amount_minor, currency, status, provider_reference, failure_reason, leased_until, updated_at) on captures to lab_api;
grant select on captures to lab_reader;
grant select on captures to lab_worker;

create table cdc_dead_letters (
  slot_name text not null,
  event_id uuid not null,
  reason text not null,
  envelope text not null,
  created_at timestamp with time zone not null default now(),
  constraint cdc_dead_letters_pkey PRIMARY KEY (slot_name, event_id)
);
grant select on cdc_dead_letters to lab_api;
grant insert, select on cdc_dead_letters to lab_cdc;
grant select on cdc_dead_letters to lab_reader;
grant select on cdc_dead_letters to lab_worker;

create table cdc_positions (
  slot_name text not null,
  system_identifier text not null,
  state text not null,
  confirmed_lsn pg_lsn,
  load_after uuid,
  load_until uuid,
  updated_at timestamp with time zone not null default now(),
  constraint cdc_positions_pkey PRIMARY KEY (slot_name),
  constraint cdc_positions_state_check CHECK ((state = ANY (ARRAY['creating'::text, 'loading'::text, 'streaming'::text])))
);
grant select on cdc_positions to lab_api;
grant delete, insert, select, update on cdc_positions to lab_cdc;
grant select on cdc_positions to lab_reader;
grant select on cdc_positions to lab_worker;

create table dispute_events (
  event_id uuid not null,
  dispute_id text not null,
  order_id text not null,
  user_id text not null,
  sequence bigint not null,
  kind text not null,
  provider text,
  provider_event_id text,
  data jsonb not null,
  created_at timestamp with time zone not null default now(),
  constraint dispute_events_pkey PRIMARY KEY (user_id, event_id, created_at),
  constraint dispute_events_kind_check CHECK ((kind = ANY (ARRAY['webhook_opened'::text, 'webhook_updated'::text, 'provider_decision'::text, 'evidence_added'::text, 'evidence_submitted'::text])))
) partition by range (created_at);
-- one partition a day, named dispute_events_pYYYYMMDD
-- one default partition, which stays empty
CREATE INDEX dispute_events_created_at ON ONLY public.dispute_events USING btree (created_at, event_id);
CREATE INDEX dispute_events_kind ON ONLY public.dispute_events USING btree (kind, created_at, event_id);
CREATE INDEX dispute_events_order_id ON ONLY public.dispute_events USING btree (order_id, created_at, event_id);
CREATE INDEX dispute_events_sequence ON ONLY public.dispute_events USING btree (dispute_id, sequence);
grant insert, select on dispute_events to lab_api;
grant select on dispute_events to lab_reader;
grant select on dispute_events to lab_worker;

create table disputes (
  dispute_id text not null,
  order_id text not null,
  user_id text not null,
  status text not null,
  reason text not null,
  amount_minor bigint not null,
  currency character(3) not null,
  sequence bigint not null,
  provider text not null,
  provider_updated_at timestamp with time zone not null,
  opened_at timestamp with time zone not null,
  evidence_due_at timestamp with time zone,
  submitted_at timestamp with time zone,
  closed_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  charged_back_minor bigint not null default 0,
  funds_moved_at timestamp with time zone,
  constraint disputes_pkey PRIMARY KEY (user_id, dispute_id),
  constraint disputes_user_id_order_id_fkey FOREIGN KEY (user_id, order_id) REFERENCES orders(user_id, order_id),
  constraint disputes_amount_minor_check CHECK ((amount_minor > 0)),
  constraint disputes_dispute_id_check CHECK (((length(dispute_id) >= 1) AND (length(dispute_id) <= 64))),
  constraint disputes_reason_check CHECK (((length(reason) >= 1) AND (length(reason) <= 128))),
  constraint disputes_sequence_check CHECK ((sequence > 0)),
  constraint disputes_status_check CHECK ((status = ANY (ARRAY['open'::text, 'under_review'::text, 'submitted'::text, 'won'::text, 'lost'::text, 'closed'::text, 'canceled'::text]))),
  constraint disputes_user_id_check CHECK (((length(user_id) >= 1) AND (length(user_id) <= 64)))
) with (fillfactor=80);
CREATE INDEX disputes_created_at ON public.disputes USING btree (created_at, dispute_id);
CREATE INDEX disputes_dispute_id ON public.disputes USING btree (dispute_id);
CREATE INDEX disputes_order_id ON public.disputes USING btree (order_id);
CREATE INDEX disputes_status ON public.disputes USING btree (status, created_at, dispute_id);
grant insert, select on disputes to lab_api;
grant update (user_id, status, reason, amount_minor, currency, sequence, provider, provider_updated_at, opened_at, evidence_due_at, submitted_at, closed_at, updated_at, charged_back_minor, funds_moved_at) on disputes to lab_api;
grant select (dispute_id, status, reason, amount_minor, currency, opened_at, closed_at, charged_back_minor) on disputes to lab_grafana;
grant select on disputes to lab_reader;
grant select on disputes to lab_worker;

create table evidence (
  evidence_id uuid not null,
  dispute_id text not null,
  user_id text not null,
  fields jsonb not null,
  created_at timestamp with time zone not null default now(),
  constraint evidence_pkey PRIMARY KEY (user_id, evidence_id),
  constraint evidence_user_id_dispute_id_fkey FOREIGN KEY (user_id, dispute_id) REFERENCES disputes(user_id, dispute_id),
  constraint evidence_fields_check CHECK ((jsonb_typeof(fields) = 'object'::text))
);
CREATE INDEX evidence_dispute_id ON public.evidence USING btree (dispute_id, created_at);
grant insert, select on evidence to lab_api;
grant select on evidence to lab_reader;
grant select on evidence to lab_worker;

create table evidence_files (
  file_id uuid not null,
  evidence_id uuid not null,
  user_id text not null,
  name text not null,
  content_type text not null,
  size_bytes integer not null,
  sha256 bytea not null,
  content bytea not null,
  constraint evidence_files_pkey PRIMARY KEY (user_id, file_id),
  constraint evidence_files_user_id_evidence_id_fkey FOREIGN KEY (user_id, evidence_id) REFERENCES evidence(user_id, evidence_id),
  constraint evidence_files_content_type_check CHECK (((length(content_type) >= 1) AND (length(content_type) <= 127))),
  constraint evidence_files_name_check CHECK (((length(name) >= 1) AND (length(name) <= 255))),
  constraint evidence_files_sha256_check CHECK ((length(sha256) = 32)),
  constraint evidence_files_size_bytes_check CHECK ((size_bytes > 0))
);
CREATE INDEX evidence_files_evidence_id ON public.evidence_files USING btree (evidence_id);
grant insert, select on evidence_files to lab_api;
grant select (file_id, evidence_id, name, content_type, size_bytes, sha256) on evidence_files to lab_reader;
grant select on evidence_files to lab_worker;

create table holds (
  hold_id uuid not null,
  account_id text not null,
  amount_minor bigint not null,
  currency character(3) not null,
  status text not null,
  reference text,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint holds_pkey PRIMARY KEY (hold_id),
  constraint holds_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(account_id),
  constraint holds_amount_minor_check CHECK ((amount_minor > 0)),
  constraint holds_reference_check CHECK (((length(reference) >= 1) AND (length(reference) <= 140))),
  constraint holds_status_check CHECK ((status = ANY (ARRAY['active'::text, 'released'::text, 'captured'::text])))
);
CREATE INDEX holds_account ON public.holds USING btree (account_id) WHERE (status = 'active'::text);
grant insert, select on holds to lab_api;
grant update (status, updated_at) on holds to lab_api;
grant select on holds to lab_reader;
grant select on holds to lab_worker;

create table idempotency_keys (
  principal text not null,
  key text not null,
  request_sha256 bytea not null,
  status smallint not null,
  body text not null,
  created_at timestamp with time zone not null,
  constraint idempotency_keys_pkey PRIMARY KEY (principal, key),
  constraint idempotency_keys_key_check CHECK (((length(key) >= 1) AND (length(key) <= 255))),
  constraint idempotency_keys_principal_check CHECK (((length(principal) >= 1) AND (length(principal) <= 64))),
  constraint idempotency_keys_request_sha256_check CHECK ((length(request_sha256) = 32)),
  constraint idempotency_keys_status_check CHECK (((status >= 200) AND (status <= 499)))
);
CREATE INDEX idempotency_keys_created_at ON public.idempotency_keys USING brin (created_at);
grant insert, select on idempotency_keys to lab_api;
grant update (request_sha256, status, body, created_at) on idempotency_keys to lab_api;
grant select (principal, key, status, created_at) on idempotency_keys to lab_reader;
grant select (principal, key, status, created_at) on idempotency_keys to lab_worker;

create table login_throttles (
  key text not null,
  attempts integer not null,
  window_ends_at timestamp with time zone not null,
  constraint login_throttles_pkey PRIMARY KEY (key)
);
CREATE INDEX login_throttles_window ON public.login_throttles USING btree (window_ends_at);
grant insert, select on login_throttles to lab_api;
grant update (attempts, window_ends_at) on login_throttles to lab_api;

create table notification_preferences (
  user_id text not null,
  language text not null default 'en'::text,
  email boolean not null default true,
  webhook boolean not null default true,
  updated_at timestamp with time zone not null default now(),
  constraint notification_preferences_pkey PRIMARY KEY (user_id),
  constraint notification_preferences_language_check CHECK ((language = ANY (ARRAY['en'::text, 'de'::text]))),
  constraint notification_preferences_user_id_check CHECK (((length(user_id) >= 1) AND (length(user_id) <= 64)))
);
grant insert, select on notification_preferences to lab_api;
grant update (language, email, webhook, updated_at) on notification_preferences to lab_api;
grant select on notification_preferences to lab_notifications;
grant select on notification_preferences to lab_reader;

create table notifications (
  notification_id uuid not null,
  type text not null,
  fact text not null,
  event_id uuid not null,
  user_id text not null,
  channel text not null,
  recipient_id text not null,
  language text not null,
  data jsonb not null,
  occurred_at timestamp with time zone not null,
  status text not null,
  attempts integer not null default 0,
  claims integer not null default 0,
  next_attempt_at timestamp with time zone not null default now(),
  last_error text,
  created_at timestamp with time zone not null default now(),
  finished_at timestamp with time zone,
  constraint notifications_pkey PRIMARY KEY (notification_id),
  constraint notifications_once UNIQUE (type, fact, channel, recipient_id),
  constraint notifications_channel_check CHECK ((channel = ANY (ARRAY['email'::text, 'webhook'::text]))),
  constraint notifications_check CHECK (((finished_at IS NULL) = (status = 'pending'::text))),
  constraint notifications_language_check CHECK ((language = ANY (ARRAY['en'::text, 'de'::text]))),
  constraint notifications_last_error_check CHECK ((length(last_error) <= 500)),
  constraint notifications_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'sent'::text, 'dead'::text, 'expired'::text, 'canceled'::text])))
);
CREATE INDEX notifications_open ON public.notifications USING btree (status, channel, next_attempt_at) WHERE (status = ANY (ARRAY['pending'::text, 'dead'::text]));
CREATE INDEX notifications_time ON public.notifications USING btree (created_at);
CREATE INDEX notifications_user ON public.notifications USING btree (user_id, created_at);
grant select on notifications to lab_api;
grant update (status, attempts, next_attempt_at, finished_at) on notifications to lab_api;
grant insert, select on notifications to lab_notifications;
grant update (status, attempts, claims, next_attempt_at, last_error, finished_at) on notifications to lab_notifications;
grant select on notifications to lab_reader;

create table order_attempts (
  reference text not null,
  order_id text not null,
  constraint order_attempts_pkey PRIMARY KEY (reference)
);
grant insert, select on order_attempts to lab_api;
grant select on order_attempts to lab_reader;
grant select on order_attempts to lab_worker;

create table order_events (
  event_id uuid not null,
  order_id text not null,
  user_id text not null,
  sequence bigint not null,
  kind text not null,
  provider text,
  provider_event_id text,
  data jsonb not null,
  created_at timestamp with time zone not null default now(),
  constraint order_events_pkey PRIMARY KEY (user_id, event_id, created_at),
  constraint order_events_kind_check CHECK ((kind = ANY (ARRAY['webhook_received'::text, 'hold_set'::text, 'hold_cleared'::text, 'capture_requested'::text, 'capture_completed'::text, 'capture_failed'::text])))
) partition by range (created_at);
-- one partition a day, named order_events_pYYYYMMDD
-- one default partition, which stays empty
CREATE INDEX order_events_created_at ON ONLY public.order_events USING btree (created_at, event_id);
CREATE INDEX order_events_kind ON ONLY public.order_events USING btree (kind, created_at, event_id);
CREATE INDEX order_events_sequence ON ONLY public.order_events USING btree (order_id, sequence);
grant insert, select on order_events to lab_api;
grant select on order_events to lab_reader;
grant select on order_events to lab_worker;

create table order_owners (
  order_id text not null,
  user_id text,
  waiting boolean not null default false,
  created_at timestamp with time zone not null default now(),
  attempt_of text,
  constraint order_owners_pkey PRIMARY KEY (order_id),
  constraint order_owners_check CHECK (((user_id IS NOT NULL) OR waiting)),
  constraint order_owners_order_id_check CHECK (((length(order_id) >= 1) AND (length(order_id) <= 64))),
  constraint order_owners_user_id_check CHECK (((length(user_id) >= 1) AND (length(user_id) <= 64)))
);
grant insert, select on order_owners to lab_api;
grant update (user_id, waiting, attempt_of) on order_owners to lab_api;
grant select on order_owners to lab_reader;
grant select on order_owners to lab_worker;

create table orders (
  order_id text not null,
  user_id text not null,
  status text not null,
  amount_minor bigint,
  currency character(3),
  on_hold boolean not null default false,
  hold_reason text,
  sequence bigint not null,
  provider text not null,
  provider_updated_at timestamp with time zone not null,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  customer_id text,
  payments jsonb,
  authorised_minor bigint not null default 0,
  captured_minor bigint not null default 0,
  refunded_minor bigint not null default 0,
  constraint orders_pkey PRIMARY KEY (user_id, order_id),
  constraint orders_amount_minor_check CHECK ((amount_minor > 0)),
  constraint orders_check CHECK (((amount_minor IS NULL) = (currency IS NULL))),
  constraint orders_check1 CHECK ((on_hold = (hold_reason IS NOT NULL))),
  constraint orders_customer_id_check CHECK (((length(customer_id) >= 1) AND (length(customer_id) <= 64))),
  constraint orders_hold_reason_check CHECK ((hold_reason = ANY (ARRAY['manual_review'::text, 'risk'::text]))),
  constraint orders_order_id_check CHECK (((length(order_id) >= 1) AND (length(order_id) <= 64))),
  constraint orders_sequence_check CHECK ((sequence > 0)),
  constraint orders_status_check CHECK ((status = ANY (ARRAY['created'::text, 'updated'::text, 'success'::text, 'failed'::text]))),
  constraint orders_user_id_check CHECK (((length(user_id) >= 1) AND (length(user_id) <= 64)))
) with (fillfactor=80);
CREATE INDEX orders_created_at ON public.orders USING btree (created_at, order_id);
CREATE INDEX orders_customer_id ON public.orders USING btree (customer_id, created_at, order_id) WHERE (customer_id IS NOT NULL);
CREATE INDEX orders_user_id ON public.orders USING btree (user_id, created_at, order_id);
grant insert, select on orders to lab_api;
grant update (user_id, status, amount_minor, currency, on_hold, hold_reason, sequence, provider, provider_updated_at, updated_at, customer_id, payments, authorised_minor, captured_minor, refunded_minor) on orders to lab_api;
grant select (order_id, status, amount_minor, currency, on_hold, created_at, updated_at, customer_id, authorised_minor, captured_minor, refunded_minor) on orders to lab_grafana;
grant select on orders to lab_reader;
grant select on orders to lab_worker;

create table outbox (
  event_id uuid not null,
  aggregate_type text not null,
  aggregate_id text not null,
  user_id text not null,
  sequence bigint not null,
  event_type text not null,
  payload jsonb not null,
  headers jsonb not null,
  created_at timestamp with time zone not null default now(),
  constraint outbox_pkey PRIMARY KEY (user_id, event_id, created_at)
) partition by range (created_at);
-- one partition a day, named outbox_pYYYYMMDD
-- one default partition, which stays empty
grant insert, select on outbox to lab_api;
grant select (aggregate_type, created_at) on outbox to lab_api;
grant select on outbox to lab_cdc;
grant select on outbox to lab_reader;
grant select on outbox to lab_worker;

create table parked_webhooks (
  provider text not null,
  provider_event_id text not null,
  order_id text not null,
  user_id text not null,
  event jsonb not null,
  received_at timestamp with time zone not null,
  attempt_reference text,
  constraint parked_webhooks_pkey PRIMARY KEY (user_id, provider, provider_event_id)
);
CREATE INDEX parked_webhooks_attempt ON public.parked_webhooks USING btree (attempt_reference) WHERE (attempt_reference IS NOT NULL);
CREATE INDEX parked_webhooks_order_id ON public.parked_webhooks USING btree (order_id);
grant delete, insert, select on parked_webhooks to lab_api;
grant select on parked_webhooks to lab_reader;
grant select on parked_webhooks to lab_worker;

create table payment_commands (
  command_id uuid not null,
  payment_id uuid not null,
  operation text not null,
  status text not null default 'open'::text,
  attempts integer not null default 0,
  fence bigint not null default 0,
  leased_by text,
  leased_until timestamp with time zone,
  run_at timestamp with time zone not null,
  last_error text,
  created_at timestamp with time zone not null,
  constraint payment_commands_pkey PRIMARY KEY (command_id),
  constraint payment_commands_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payments(payment_id),
  constraint payment_commands_attempts_check CHECK ((attempts >= 0)),
  constraint payment_commands_operation_check CHECK ((operation = ANY (ARRAY['charge'::text, 'refund'::text]))),
  constraint payment_commands_status_check CHECK ((status = ANY (ARRAY['open'::text, 'dead'::text])))
);
CREATE INDEX payment_commands_due ON public.payment_commands USING btree (run_at) WHERE (status = 'open'::text);
grant delete, insert, select on payment_commands to lab_api;
grant update (status, attempts, fence, leased_by, leased_until, run_at, last_error) on payment_commands to lab_api;
grant select on payment_commands to lab_reader;
grant select on payment_commands to lab_worker;

create table payment_events (
  payment_id uuid not null,
  sequence bigint not null,
  event_id uuid not null,
  user_id text not null,
  kind text not null,
  data jsonb not null,
  created_at timestamp with time zone not null,
  constraint payment_events_pkey PRIMARY KEY (payment_id, sequence),
  constraint payment_events_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payments(payment_id),
  constraint payment_events_kind_check CHECK ((kind = ANY (ARRAY['created'::text, 'processing'::text, 'action_required'::text, 'completed'::text, 'failed'::text, 'canceled'::text, 'refund_requested'::text, 'refunded'::text, 'refund_failed'::text]))),
  constraint payment_events_sequence_check CHECK ((sequence > 0))
);
grant insert, select on payment_events to lab_api;
grant select on payment_events to lab_reader;
grant select on payment_events to lab_worker;

create table payments (
  payment_id uuid not null,
  user_id text not null,
  account_id text not null,
  amount_minor bigint not null,
  currency character(3) not null,
  provider text not null,
  failover boolean not null,
  status text not null,
  hold_id uuid not null,
  charged_by text,
  action_url text,
  provider_reference text,
  failure_reason text,
  refunded_minor bigint not null default 0,
  refunding_minor bigint not null default 0,
  reference text,
  sequence bigint not null,
  expires_at timestamp with time zone not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint payments_pkey PRIMARY KEY (payment_id),
  constraint payments_hold_id_key UNIQUE (hold_id),
  constraint payments_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(account_id),
  constraint payments_hold_id_fkey FOREIGN KEY (hold_id) REFERENCES holds(hold_id),
  constraint payments_amount_minor_check CHECK ((amount_minor > 0)),
  constraint payments_charged_by_check CHECK ((charged_by = ANY (ARRAY['card'::text, 'wallet'::text]))),
  constraint payments_check CHECK (((refunded_minor + refunding_minor) <= amount_minor)),
  constraint payments_check1 CHECK (((charged_by IS NOT NULL) OR (status = ANY (ARRAY['pending'::text, 'failed'::text, 'canceled'::text])))),
  constraint payments_provider_check CHECK ((provider = ANY (ARRAY['card'::text, 'wallet'::text]))),
  constraint payments_reference_check CHECK (((length(reference) >= 1) AND (length(reference) <= 140))),
  constraint payments_refunded_minor_check CHECK ((refunded_minor >= 0)),
  constraint payments_refunding_minor_check CHECK ((refunding_minor >= 0)),
  constraint payments_sequence_check CHECK ((sequence > 0)),
  constraint payments_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'processing'::text, 'completed'::text, 'failed'::text, 'canceled'::text, 'partially_refunded'::text, 'refunded'::text]))),
  constraint payments_user_id_check CHECK (((length(user_id) >= 1) AND (length(user_id) <= 64)))
);
CREATE INDEX payments_created_at ON public.payments USING btree (created_at, payment_id);
CREATE INDEX payments_user ON public.payments USING btree (user_id, created_at, payment_id);
grant insert, select on payments to lab_api;
grant update (status, charged_by, action_url, provider_reference, failure_reason, refunded_minor, refunding_minor, sequence, updated_at) on payments to lab_api;
grant select (payment_id, amount_minor, currency, provider, status, charged_by, refunded_minor, created_at, updated_at) on payments to lab_grafana;
grant select on payments to lab_reader;
grant select on payments to lab_worker;

create table postings (
  account_id text not null,
  sequence bigint not null,
  transfer_id uuid not null,
  amount_minor bigint not null,
  currency character(3) not null,
  balance_minor bigint not null,
  hash bytea not null,
  created_at timestamp with time zone not null,
  constraint postings_pkey PRIMARY KEY (account_id, sequence),
  constraint postings_amount_minor_check CHECK ((amount_minor <> 0)),
  constraint postings_hash_check CHECK ((length(hash) = 32)),
  constraint postings_sequence_check CHECK ((sequence > 0))
);
CREATE INDEX postings_transfer ON public.postings USING btree (transfer_id);
grant insert, select on postings to lab_api;
grant select on postings to lab_reader;
grant select on postings to lab_worker;

create table quarantined_webhooks (
  user_id text not null,
  provider text not null,
  provider_event_id text not null,
  digest text not null,
  reason text not null,
  event jsonb not null,
  received_at timestamp with time zone not null,
  decision text,
  decided_at timestamp with time zone,
  note text,
  constraint quarantined_webhooks_pkey PRIMARY KEY (user_id, provider, provider_event_id, digest),
  constraint quarantined_webhooks_check CHECK (((decision IS NULL) = (decided_at IS NULL))),
  constraint quarantined_webhooks_decision_check CHECK ((decision = ANY (ARRAY['applied'::text, 'dropped'::text])))
);
CREATE INDEX quarantined_webhooks_waiting ON public.quarantined_webhooks USING btree (received_at) WHERE (decision IS NULL);
grant insert, select on quarantined_webhooks to lab_api;
grant select on quarantined_webhooks to lab_reader;
grant select on quarantined_webhooks to lab_worker;

create table refunds (
  refund_id uuid not null,
  payment_id uuid not null,
  amount_minor bigint not null,
  currency character(3) not null,
  status text not null,
  provider_reference text,
  failure_reason text,
  reason text,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint refunds_pkey PRIMARY KEY (refund_id),
  constraint refunds_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payments(payment_id),
  constraint refunds_amount_minor_check CHECK ((amount_minor > 0)),
  constraint refunds_reason_check CHECK (((length(reason) >= 1) AND (length(reason) <= 140))),
  constraint refunds_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'completed'::text, 'failed'::text])))
);
CREATE INDEX refunds_payment ON public.refunds USING btree (payment_id);
grant insert, select on refunds to lab_api;
grant update (status, provider_reference, failure_reason, updated_at) on refunds to lab_api;
grant select on refunds to lab_reader;
grant select on refunds to lab_worker;

create table retention_settings (
  table_name text not null,
  time_column text not null,
  retention interval not null,
  premake_days integer not null,
  partition_interval text not null default 'day'::text,
  constraint retention_settings_pkey PRIMARY KEY (table_name),
  constraint retention_settings_partition_interval_check CHECK ((partition_interval = ANY (ARRAY['day'::text, 'week'::text, 'month'::text]))),
  constraint retention_settings_premake_days_check CHECK (((premake_days >= 1) AND (premake_days <= 60))),
  constraint retention_settings_retention_check CHECK ((retention > '1 day'::interval))
);
grant select on retention_settings to lab_api;
grant select on retention_settings to lab_reader;
grant select on retention_settings to lab_worker;

create table schema_migrations (
  name text not null,
  sha256 text not null,
  applied_at timestamp with time zone not null default now(),
  constraint schema_migrations_pkey PRIMARY KEY (name)
);
grant select on schema_migrations to lab_api;
grant select on schema_migrations to lab_reader;
grant select on schema_migrations to lab_worker;

create table security_events (
  event_id uuid not null,
  kind text not null,
  user_id text,
  session_id uuid,
  address text,
  request_id text,
  created_at timestamp with time zone not null default now(),
  constraint security_events_pkey PRIMARY KEY (event_id),
  constraint security_events_kind_check CHECK ((kind = ANY (ARRAY['registered'::text, 'logged_in'::text, 'login_failed'::text, 'throttled'::text, 'logged_out'::text, 'refresh_reused'::text])))
);
CREATE INDEX security_events_time ON public.security_events USING btree (created_at);
CREATE INDEX security_events_user ON public.security_events USING btree (user_id, created_at);
grant insert on security_events to lab_api;
grant select on security_events to lab_reader;

create table sessions (
  session_id uuid not null,
  user_id text not null,
  token_hash bytea not null,
  created_at timestamp with time zone not null default now(),
  refreshed_at timestamp with time zone,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  revoked_because text,
  constraint sessions_pkey PRIMARY KEY (session_id),
  constraint sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(user_id),
  constraint sessions_check CHECK (((revoked_at IS NULL) = (revoked_because IS NULL))),
  constraint sessions_revoked_because_check CHECK ((revoked_because = ANY (ARRAY['logged_out'::text, 'reused'::text]))),
  constraint sessions_token_hash_check CHECK ((length(token_hash) = 32))
);
CREATE INDEX sessions_expiry ON public.sessions USING btree (expires_at);
CREATE INDEX sessions_user ON public.sessions USING btree (user_id);
grant insert, select on sessions to lab_api;
grant update (token_hash, refreshed_at, revoked_at, revoked_because) on sessions to lab_api;
grant select (session_id, user_id, created_at, refreshed_at, expires_at, revoked_at, revoked_because) on sessions to lab_reader;

create table transfers (
  transfer_id uuid not null,
  kind text not null,
  from_account_id text not null,
  to_account_id text not null,
  amount_minor bigint not null,
  currency character(3) not null,
  to_amount_minor bigint not null,
  to_currency character(3) not null,
  rate numeric(30,12),
  reference text,
  created_at timestamp with time zone not null,
  constraint transfers_pkey PRIMARY KEY (transfer_id),
  constraint transfers_amount_minor_check CHECK ((amount_minor > 0)),
  constraint transfers_check CHECK ((to_account_id <> from_account_id)),
  constraint transfers_check1 CHECK (((rate IS NULL) = (currency = to_currency))),
  constraint transfers_check2 CHECK (((rate IS NOT NULL) OR (amount_minor = to_amount_minor))),
  constraint transfers_kind_check CHECK ((kind = ANY (ARRAY['transfer'::text, 'top_up'::text, 'withdrawal'::text, 'payment'::text, 'refund'::text]))),
  constraint transfers_rate_check CHECK ((rate > (0)::numeric)),
  constraint transfers_reference_check CHECK (((length(reference) >= 1) AND (length(reference) <= 140))),
  constraint transfers_to_amount_minor_check CHECK ((to_amount_minor > 0))
);
CREATE INDEX transfers_created_at ON public.transfers USING brin (created_at);
grant insert, select on transfers to lab_api;
grant select on transfers to lab_reader;
grant select on transfers to lab_worker;

create table users (
  user_id text not null,
  email text not null,
  password_hash text not null,
  role text not null default 'customer'::text,
  created_at timestamp with time zone not null default now(),
  constraint users_pkey PRIMARY KEY (user_id),
  constraint users_email_key UNIQUE (email),
  constraint users_email_check CHECK (((length(email) >= 3) AND (length(email) <= 254))),
  constraint users_role_check CHECK ((role = ANY (ARRAY['customer'::text, 'operator'::text, 'admin'::text]))),
  constraint users_user_id_check CHECK (((length(user_id) >= 1) AND (length(user_id) <= 64)))
);
grant insert, select on users to lab_api;
grant select (user_id, email, created_at) on users to lab_notifications;
grant select (user_id, email, role, created_at) on users to lab_reader;
grant select (user_id, email, role, created_at) on users to lab_worker;

create table webhook_deliveries (
  delivery_id uuid not null,
  provider text not null,
  provider_event_id text not null,
  user_id text not null,
  body_sha256 bytea not null,
  body text not null,
  verdict text not null,
  reason text,
  received_at timestamp with time zone not null default now(),
  constraint webhook_deliveries_pkey PRIMARY KEY (user_id, delivery_id, received_at),
  constraint webhook_deliveries_body_sha256_check CHECK ((length(body_sha256) = 32)),
  constraint webhook_deliveries_verdict_check CHECK ((verdict = ANY (ARRAY['applied'::text, 'duplicate'::text, 'stale'::text, 'parked'::text, 'quarantined'::text, 'ignored'::text])))
) partition by range (received_at);
-- one partition a day, named webhook_deliveries_pYYYYMMDD
-- one default partition, which stays empty
CREATE INDEX webhook_deliveries_received_at ON ONLY public.webhook_deliveries USING brin (received_at);
grant insert, select on webhook_deliveries to lab_api;
grant select on webhook_deliveries to lab_reader;
grant select on webhook_deliveries to lab_worker;

create table webhook_endpoints (
  endpoint_id text not null,
  user_id text not null,
  url text not null,
  secret text not null,
  all_users boolean not null default false,
  status text not null default 'active'::text,
  created_at timestamp with time zone not null default now(),
  updated_at timestamp with time zone not null default now(),
  constraint webhook_endpoints_pkey PRIMARY KEY (endpoint_id),
  constraint webhook_endpoints_endpoint_id_check CHECK (((length(endpoint_id) >= 1) AND (length(endpoint_id) <= 64))),
  constraint webhook_endpoints_secret_check CHECK ((secret ~~ 'whsec\_%'::text)),
  constraint webhook_endpoints_status_check CHECK ((status = ANY (ARRAY['active'::text, 'disabled'::text]))),
  constraint webhook_endpoints_url_check CHECK (((length(url) >= 1) AND (length(url) <= 2048))),
  constraint webhook_endpoints_user_id_check CHECK (((length(user_id) >= 1) AND (length(user_id) <= 64)))
);
CREATE INDEX webhook_endpoints_user ON public.webhook_endpoints USING btree (user_id);
grant insert, select on webhook_endpoints to lab_api;
grant update (status, updated_at) on webhook_endpoints to lab_api;
grant select on webhook_endpoints to lab_notifications;
grant update (status, updated_at) on webhook_endpoints to lab_notifications;
grant select (endpoint_id, user_id, url, all_users, status, created_at, updated_at) on webhook_endpoints to lab_reader;

create table webhook_keys (
  provider text not null,
  provider_event_id text not null,
  user_id text not null,
  body_sha256 bytea not null,
  received_at timestamp with time zone not null default now(),
  constraint webhook_keys_pkey PRIMARY KEY (user_id, provider, provider_event_id),
  constraint webhook_keys_body_sha256_check CHECK ((length(body_sha256) = 32))
);
CREATE INDEX webhook_keys_received_at ON public.webhook_keys USING brin (received_at);
grant insert, select on webhook_keys to lab_api;
grant select on webhook_keys to lab_reader;
grant select on webhook_keys to lab_worker;

create function change_interval_of(text,text) returns integer language plpgsql set search_path=public, pg_temp set TimeZone=UTC set lock_timeout=100ms set DateStyle=ISO, MDY set IntervalStyle=postgres set standard_conforming_strings=on set quote_all_identifiers=off set transform_null_equals=off;

create function check_account() returns trigger language plpgsql set search_path=public, pg_temp set DateStyle=ISO, MDY set IntervalStyle=postgres set TimeZone=UTC set standard_conforming_strings=on set quote_all_identifiers=off set transform_null_equals=off;
create function check_delta() returns trigger language plpgsql set search_path=public, pg_temp set DateStyle=ISO, MDY set IntervalStyle=postgres set TimeZone=UTC set standard_conforming_strings=on set quote_all_identifiers=off set transform_null_equals=off;
create function check_postings() returns trigger language plpgsql set search_path=public, pg_temp set DateStyle=ISO, MDY set IntervalStyle=postgres set TimeZone=UTC set standard_conforming_strings=on set quote_all_identifiers=off set transform_null_equals=off;
create function cover_days(text,date,date) returns integer language plpgsql set search_path=public, pg_temp set TimeZone=UTC set DateStyle=ISO, MDY set IntervalStyle=postgres set standard_conforming_strings=on set quote_all_identifiers=off set transform_null_equals=off;
create function default_partition_rows() returns TABLE(table_name text, row_count bigint) language plpgsql security definer set search_path=public, pg_temp set DateStyle=ISO, MDY set IntervalStyle=postgres set TimeZone=UTC set standard_conforming_strings=on set quote_all_identifiers=off set transform_null_equals=off;
grant execute on function default_partition_rows to lab_api;
grant execute on function default_partition_rows to lab_grafana;
grant execute on function default_partition_rows to lab_reader;
grant execute on function default_partition_rows to lab_worker;
create function delete_expired(text,integer) returns bigint language plpgsql security definer set search_path=public, pg_temp set DateStyle=ISO, MDY set IntervalStyle=postgres set TimeZone=UTC set standard_conforming_strings=on set quote_all_identifiers=off set transform_null_equals=off;
grant execute on function delete_expired to lab_api;
grant execute on function delete_expired to lab_worker;
create function detach_expired_partition(text) returns text language plpgsql security definer set search_path=public, pg_temp set TimeZone=UTC set lock_timeout=100ms set DateStyle=ISO, MDY set IntervalStyle=postgres set standard_conforming_strings=on set quote_all_identifiers=off set transform_null_equals=off;
grant execute on function detach_expired_partition to lab_api;
grant execute on function detach_expired_partition to lab_worker;
create function drop_detached_partition(text) returns text language plpgsql security definer set search_path=public, pg_temp set lock_timeout=100ms set DateStyle=ISO, MDY set IntervalStyle=postgres set TimeZone=UTC set standard_conforming_strings=on set quote_all_identifiers=off set transform_null_equals=off;
grant execute on function drop_detached_partition to lab_api;
grant execute on function drop_detached_partition to lab_worker;
create function ensure_partitions(text,date,date) returns integer language sql security definer set search_path=public, pg_temp set TimeZone=UTC set lock_timeout=5s set DateStyle=ISO, MDY set IntervalStyle=postgres set standard_conforming_strings=on set quote_all_identifiers=off set transform_null_equals=off;
create function has_partman() returns boolean language sql set DateStyle=ISO, MDY set IntervalStyle=postgres set TimeZone=UTC set standard_conforming_strings=on set quote_all_identifiers=off set transform_null_equals=off set search_path=public, pg_temp;
grant execute on function has_partman to public;
create function hold_shards(text[]) returns void language plpgsql security definer set search_path=public, pg_temp set DateStyle=ISO, MDY set IntervalStyle=postgres set TimeZone=UTC set standard_conforming_strings=on set quote_all_identifiers=off set transform_null_equals=off;
grant execute on function hold_shards to lab_api;
create function limit_public() returns void language plpgsql set search_path=pg_catalog, pg_temp set DateStyle=ISO, MDY set IntervalStyle=postgres set TimeZone=UTC set standard_conforming_strings=on set quote_all_identifiers=off set transform_null_equals=off;
create function lock_for_maintenance(text) returns void language sql set search_path=public, pg_temp set DateStyle=ISO, MDY set IntervalStyle=postgres set TimeZone=UTC set standard_conforming_strings=on set quote_all_identifiers=off set transform_null_equals=off;

create function make_partition(text,timestamp with time zone,timestamp with time zone) returns void language plpgsql set search_path=public, pg_temp set TimeZone=UTC set DateStyle=ISO, MDY set IntervalStyle=postgres set standard_conforming_strings=on set quote_all_identifiers=off set transform_null_equals=off;
create function partition_bounds(text) returns TABLE(partition_name text, lower_bound timestamp with time zone, upper_bound timestamp with time zone) language sql set search_path=public, pg_temp set DateStyle=ISO, MDY set IntervalStyle=postgres set TimeZone=UTC set standard_conforming_strings=on set quote_all_identifiers=off set transform_null_equals=off;
grant execute on function partition_bounds to public;
create function partitioned_tables() returns SETOF text language sql set DateStyle=ISO, MDY set IntervalStyle=postgres set TimeZone=UTC set standard_conforming_strings=on set quote_all_identifiers=off set transform_null_equals=off set search_path=public, pg_temp;
grant execute on function partitioned_tables to public;
create function premake_partitions(text) returns integer language plpgsql security definer set search_path=public, pg_temp set TimeZone=UTC set lock_timeout=100ms set DateStyle=ISO, MDY set IntervalStyle=postgres set standard_conforming_strings=on set quote_all_identifiers=off set transform_null_equals=off;
grant execute on function premake_partitions to lab_api;
grant execute on function premake_partitions to lab_worker;
create function refuse_change() returns trigger language plpgsql set search_path=public, pg_temp set DateStyle=ISO, MDY set IntervalStyle=postgres set TimeZone=UTC set standard_conforming_strings=on set quote_all_identifiers=off set transform_null_equals=off;
create function replay_position() returns TABLE(lsn pg_lsn, timeline integer) language sql security definer set search_path=pg_catalog, pg_temp set DateStyle=ISO, MDY set IntervalStyle=postgres set TimeZone=UTC set standard_conforming_strings=on set quote_all_identifiers=off set transform_null_equals=off;
grant execute on function replay_position to lab_api;
grant execute on function replay_position to lab_reader;


create_distributed_table(captures, user_id)
create_distributed_table(dispute_events, user_id)
create_distributed_table(disputes, user_id)
create_distributed_table(evidence, user_id)
create_distributed_table(evidence_files, user_id)
create_distributed_table(order_events, user_id)
create_distributed_table(orders, user_id)
create_distributed_table(outbox, user_id)
create_distributed_table(parked_webhooks, user_id)
create_distributed_table(quarantined_webhooks, user_id)
create_reference_table(retention_settings)
create_distributed_table(webhook_deliveries, user_id)
create_distributed_table(webhook_keys, user_id)
