-- $2 rows in each of $1 partitions of one table that have expired, as maintenance finds them when it was away.
insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers, created_at)
select gen_random_uuid(), 'order', 'o_' || n, 'u', n, 'order.webhook_received', jsonb_build_object('note', repeat(md5(n::text), 8)), '{}',
  date_trunc('day', now()) - (20 + n % $1::int) * interval '1 day' + interval '1 hour'
from generate_series(1, $1::int * $2::int) n
