-- A row that is there has expired, else it was found before. If it has not, the null is refused, and with it all of this.
insert into idempotency_keys (principal, key, request_sha256, status, body, created_at)
select principal, key, decode(request_sha256, 'hex'), status, body, created_at
from unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::text[], $6::timestamptz[])
  as k (principal, key, request_sha256, status, body, created_at)
on conflict (principal, key) do update
set request_sha256 = excluded.request_sha256,
  status = excluded.status,
  body = excluded.body,
  created_at = case
    when idempotency_keys.created_at <= excluded.created_at - interval '24 hours' then excluded.created_at
  end
