-- $2 disputes a day over $1 days, each with an order of that day. Orders have two events within an hour. A dispute has five
-- events: within an hour where its number is even, over nine days where it is odd.
with lives as (
  select n, 'o_' || n as order_id, 'd_' || n as dispute_id,
    date_trunc('day', now()) - ($1::int - n % $1::int) * interval '1 day' + (n % 20) * interval '1 hour' as began,
    case when n % 2 = 0 then interval '1 hour' else interval '9 days' end as lasts
  from generate_series(1, $1::int * $2::int) n
), bounded as (
  select *, least(began + lasts, now()) as ended from lives
), the_orders as (
  insert into orders (order_id, user_id, status, amount_minor, currency, sequence, provider, provider_updated_at, created_at, updated_at)
  select order_id, 'u_' || n % 1000, 'success', 1000, 'EUR', 2, 'silvergate', began, began, began + interval '1 hour' from bounded
  returning order_id
), the_disputes as (
  insert into disputes (dispute_id, order_id, user_id, status, reason, amount_minor, currency, sequence, provider, provider_updated_at,
    opened_at, created_at, updated_at)
  select dispute_id, order_id, 'u_' || n % 1000, 'lost', 'fraud', 1000, 'EUR', 5, 'silvergate', began, began, began, ended from bounded
  returning dispute_id
), the_order_events as (
  insert into order_events (event_id, order_id, user_id, sequence, kind, data, created_at)
  select gen_random_uuid(), order_id, 'u_' || n % 1000, k, 'webhook_received', jsonb_build_object('note', repeat(md5(n::text), 4)),
    began + (k - 1) * interval '1 hour'
  from bounded, generate_series(1, 2) k
  returning event_id
)
insert into dispute_events (event_id, dispute_id, order_id, user_id, sequence, kind, data, created_at)
select gen_random_uuid(), dispute_id, order_id, 'u_' || n % 1000, k, 'webhook_updated', jsonb_build_object('note', repeat(md5(n::text), 4)),
  began + (ended - began) * (k - 1) / 4
from bounded, generate_series(1, 5) k
