-- The first whole day of which the outbox has every event: what is older may be gone already.
select to_char(date_trunc('day', now() at time zone 'UTC' - retention) + interval '1 day', 'YYYY-MM-DD') as since
from retention_settings
where table_name = 'outbox'
