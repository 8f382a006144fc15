-- Half of the disputes are lost, a third are about fraud, independent of each other and of the time.
insert into disputes (dispute_id, order_id, user_id, status, reason, amount_minor, currency, sequence, provider, provider_updated_at, opened_at)
select 'd' || d, 'o' || d / 10, 'u' || (d / 10) % 10000,
  (array['lost', 'won'])[1 + abs(hashint8extended(d, 1) % 2)],
  (array['fraud', 'not_received', 'duplicate'])[1 + abs(hashint8extended(d, 2) % 3)],
  1000 + d % 50000, 'EUR', 5, 'silvergate', $2::timestamptz, $2::timestamptz
from generate_series(0, $1::integer - 1) as d
