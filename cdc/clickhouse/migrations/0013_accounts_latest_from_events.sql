-- What: fills `accounts_latest`.
-- Why: a posting carries the balance that it left.
create materialized view if not exists accounts_latest_from_events to accounts_latest as
select
  aggregate_id as account_id, user_id, after_amount_minor as balance_minor, currency, sequence, occurred_at as updated_at
from events
where aggregate_type = 'posting'
