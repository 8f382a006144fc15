-- One index probe a key, whatever the statistics say: a plan that was cached while the table was empty would otherwise
-- go on reading all of it.
select d.provider, d.provider_event_id, encode(d.body_sha256, 'hex') as body_sha256
from unnest($1::text[], $2::text[]) as k (provider, provider_event_id)
cross join lateral (
  select * from webhook_deliveries
  where provider = k.provider
    and provider_event_id = k.provider_event_id
    and verdict not in ('duplicate', 'quarantined')
  limit 1
) as d
