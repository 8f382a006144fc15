-- Five events for each dispute, spread over up to ten days of the month; two in five are `evidence_added`.
-- The rows lie on disk in random order, as after a load from many sources.
insert into dispute_events (event_id, dispute_id, order_id, user_id, sequence, kind, data, created_at)
select md5('e' || n)::uuid, 'd' || n / 5, 'o' || n / 50, 'u' || (n / 50) % 10000, 1 + n % 5,
  (array['webhook_opened', 'evidence_added', 'evidence_added', 'evidence_submitted', 'provider_decision'])[1 + n % 5],
  jsonb_build_object('note', repeat(md5(n::text), 4), 'files', n % 4),
  created_at
from (
  select n, $2::timestamptz
    + $3::integer * interval '1 day' * (0.7 * (abs(hashint8extended(n / 5, 3)) % 1000000) / 1000000.0
    + 0.3 * (n % 5 + (abs(hashint8extended(n, 5)) % 1000) / 1000.0) / 5) as created_at
  from generate_series(0, $1::integer - 1) as n
) as e
order by hashint8extended(n, 4)
