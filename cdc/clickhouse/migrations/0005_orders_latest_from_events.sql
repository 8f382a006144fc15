-- What: fills `orders_latest`.
-- Why: every event of an order carries the order's whole state, so no event has to know of another.
create materialized view if not exists orders_latest_from_events to orders_latest as
select
  aggregate_id as order_id, user_id, after_status as status, after_amount_minor as amount_minor, currency, sequence,
  occurred_at as updated_at
from events
where aggregate_type = 'order'
