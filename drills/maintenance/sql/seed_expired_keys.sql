-- Dedupe keys that have expired: the table is not partitioned, so that they are deleted.
insert into webhook_keys (provider, provider_event_id, body_sha256, received_at)
select 'silvergate', 'expired_' || $2 || '_' || n, sha256(n::text::bytea), now() - interval '130 days'
from generate_series(1, $1::int) n
