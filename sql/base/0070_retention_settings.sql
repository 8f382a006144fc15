-- What: how long the rows of each table stay, and how many days ahead its partitions are made.
-- Why: one place for both ways of removing rows. A dedupe key, and in `plain` the delivery that is the key, must outlive
--      every provider's retries and manual replays (Stripe: 30 days). The outbox only has to outlive its readers' lag.
-- Lock: none, the table is new.
create table retention_settings (
  table_name text primary key,
  time_column text not null,
  retention interval not null check (retention > interval '1 day'),
  premake_days integer not null check (premake_days between 1 and 60)
);

insert into retention_settings (table_name, time_column, retention, premake_days)
values
  ('order_events', 'created_at', interval '400 days', 7),
  ('dispute_events', 'created_at', interval '400 days', 7),
  ('webhook_deliveries', 'received_at', interval '90 days', 7),
  ('webhook_keys', 'received_at', interval '120 days', 7),
  ('outbox', 'created_at', interval '7 days', 7);
