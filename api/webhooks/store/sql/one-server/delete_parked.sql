delete from parked_webhooks
where (provider, provider_event_id) in (select * from unnest($1::text[], $2::text[]))
