-- Half of the disputes are lost, a third are about fraud, independent of each other and of the time. Each has the times of
-- its events, as the API writes them: a read of its history looks between the two.
insert into disputes (dispute_id, order_id, user_id, status, reason, amount_minor, currency, sequence, provider, provider_updated_at,
  opened_at, created_at, updated_at)
select 'd' || d, 'o' || d / 10, 'u' || (d / 10) % 10000,
  (array['lost', 'won'])[1 + abs(hashint8extended(d, 1) % 2)],
  (array['fraud', 'not_received', 'duplicate'])[1 + abs(hashint8extended(d, 2) % 3)],
  1000 + d % 50000, 'EUR', 5, 'silvergate', ended, began, began, ended
from (
  select substr(dispute_id, 2)::bigint as d, min(created_at) as began, max(created_at) as ended
  from dispute_events
  group by dispute_id
) as lives
order by d
