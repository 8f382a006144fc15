insert into recorded_acks (provider, provider_event_id, body_sha256, status, verdict)
select provider, provider_event_id, decode(body_sha256, 'hex'), status, verdict
from unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::text[]) as r (provider, provider_event_id, body_sha256, status, verdict)
