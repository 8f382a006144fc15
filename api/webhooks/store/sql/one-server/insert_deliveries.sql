insert into webhook_deliveries (delivery_id, provider, provider_event_id, body_sha256, body, verdict, reason, received_at)
select delivery_id, provider, provider_event_id, decode(body_sha256, 'hex'), body, verdict, reason, received_at
from unnest(
  $1::uuid[], $2::text[], $3::text[], $4::text[], string_to_array($5, e'\x1e'), $6::text[], $7::text[], $8::timestamptz[]
) as d (delivery_id, provider, provider_event_id, body_sha256, body, verdict, reason, received_at)
