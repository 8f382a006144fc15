-- What: fills `events`.
-- Why: see 0002. `after` is the state of the aggregate that the event left.
create materialized view if not exists events_from_in to events as
with JSONExtract(payload, 'Tuple(
  order_id String, provider String, status String, verdict String, amount_minor Nullable(Int64), currency String,
  after Tuple(status String, amount_minor Nullable(Int64), currency String, reason String))') as p
select
  event_id, type, aggregate_type, aggregate_id, user_id, sequence, occurred_at,
  p.order_id as order_id,
  p.provider as provider,
  p.status as status,
  p.verdict as verdict,
  p.amount_minor as amount_minor,
  if(p.currency = '', p.after.currency, p.currency) as currency,
  p.after.status as after_status,
  p.after.amount_minor as after_amount_minor,
  p.after.reason as after_reason,
  payload,
  fromUnixTimestamp64Milli(sent_at_ms, 'UTC') as sent_at,
  fromUnixTimestamp64Milli(accepted_at_ms, 'UTC') as accepted_at,
  fromUnixTimestamp64Milli(committed_at_ms, 'UTC') as committed_at,
  fromUnixTimestamp64Milli(read_at_ms, 'UTC') as read_at,
  fromUnixTimestamp64Milli(published_at_ms, 'UTC') as published_at,
  now64(3, 'UTC') as sunk_at
from events_in
