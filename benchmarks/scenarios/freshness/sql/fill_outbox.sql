-- $1 orders from position $2, each with $3 more events (an even number): holds that are set and cleared in turn, as the
-- API writes them, so that the order ends as it was and every invariant holds.
with chosen as (
  select order_id, user_id, sequence, status, amount_minor, currency
  from orders
  order by order_id
  limit $1 offset $2
), made as (
  select gen_random_uuid() as event_id, order_id, user_id, sequence + n as sequence, n % 2 = 1 as is_hold,
    jsonb_build_object(
      'reason', 'manual_review',
      'previous_reason', case when n % 2 = 0 then 'manual_review' end,
      'after', jsonb_build_object('status', status, 'amount_minor', amount_minor, 'currency', currency)
    ) as data
  from chosen, generate_series(1, $3::integer) as n
), moved as (
  update orders o set sequence = o.sequence + $3, updated_at = now() from chosen c where o.order_id = c.order_id
), kept as (
  insert into order_events (event_id, order_id, user_id, sequence, kind, provider, provider_event_id, data, created_at)
  select event_id, order_id, user_id, sequence, case when is_hold then 'hold_set' else 'hold_cleared' end, null, null, data, now()
  from made
)
insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers, created_at)
select event_id, 'order', order_id, user_id, sequence, case when is_hold then 'order.hold_set' else 'order.hold_cleared' end,
  data || jsonb_build_object(
    'kind', case when is_hold then 'hold_set' else 'hold_cleared' end,
    'order_id', order_id, 'provider', null, 'provider_event_id', null
  ),
  '{}', now()
from made
