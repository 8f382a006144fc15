-- What: fills `disputes_latest`.
-- Why: as for orders_latest.
create materialized view if not exists disputes_latest_from_events to disputes_latest as
select
  aggregate_id as dispute_id, order_id, user_id, after_status as status, after_reason as reason,
  after_amount_minor as amount_minor, currency, sequence, occurred_at as updated_at
from events
where aggregate_type = 'dispute'
