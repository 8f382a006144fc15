-- The orders that the update and chargeback scripts refer to; :orders rows. Created in the past, so that updates are newer.
insert into orders (order_id, user_id, status, amount_minor, currency, sequence, provider, provider_updated_at)
select 'pgb_' || n, 'user_' || n % 10000, 'created', 1999, 'EUR', 1, 'silvergate', now() - interval '1 hour'
from generate_series(1, :orders) as n
on conflict do nothing;
analyze orders;
