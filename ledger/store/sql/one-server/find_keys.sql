select i.principal, i.key, encode(i.request_sha256, 'hex') as request_sha256, i.status, i.body, i.created_at
from unnest($1::text[], $2::text[]) as k (principal, key)
cross join lateral (select * from idempotency_keys where principal = k.principal and key = k.key limit 1) as i
