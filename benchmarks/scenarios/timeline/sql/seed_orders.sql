-- Each order lives for the whole month: it has up to ten disputes.
insert into orders (order_id, user_id, status, amount_minor, currency, sequence, provider, provider_updated_at, created_at, updated_at)
select 'o' || o, 'u' || o % 10000, 'success', 1000 + o % 50000, 'EUR', 1, 'silvergate', $2::timestamptz, $2::timestamptz,
  $2::timestamptz + $3::integer * interval '1 day'
from generate_series(0, ($1::integer - 1) / 10) as o
