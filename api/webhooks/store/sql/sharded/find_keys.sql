select user_id, provider, provider_event_id, encode(body_sha256, 'hex') as body_sha256
from webhook_keys
where user_id = any ($1::text[])
  and provider_event_id = any ($2::text[])
