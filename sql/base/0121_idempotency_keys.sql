-- What: the answers to requests that move money, by who asked and the key that it chose. Written in the transaction of
--       the effect, and kept for a day.
-- Why: a caller that got no answer repeats its request and gets the answer of the first. An ordinary table in every
--      topology, as webhook_keys is: partitioned by time, the same key could come twice, once in each partition. It
--      holds one day, so that deleting in batches is cheap. The body is what only its caller may read again.
-- Lock: none, the table is new.
create table idempotency_keys (
  principal text not null check (length(principal) between 1 and 64),
  key text not null check (length(key) between 1 and 255),
  request_sha256 bytea not null check (length(request_sha256) = 32),
  status smallint not null check (status between 200 and 499),
  body text not null,
  created_at timestamptz not null,
  primary key (principal, key)
);

create index idempotency_keys_created_at on idempotency_keys using brin (created_at);

insert into retention_settings (table_name, time_column, retention, premake_days)
values ('idempotency_keys', 'created_at', interval '25 hours', 1);

grant select, insert on idempotency_keys to lab_api;
grant update (request_sha256, status, body, created_at) on idempotency_keys to lab_api;
grant select (principal, key, status, created_at) on idempotency_keys to lab_worker, lab_reader;
