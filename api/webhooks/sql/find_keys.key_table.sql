select provider, provider_event_id, encode(body_sha256, 'hex') as body_sha256
from webhook_keys
where (provider, provider_event_id) in (select * from unnest($1::text[], $2::text[]))
