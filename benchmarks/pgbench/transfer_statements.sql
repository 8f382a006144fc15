-- One transfer as the API applies it with row locks: the same rows, the same checks, one round trip a statement.
\set payer random(1, :accounts)
\if :zipf
\set payee random_zipfian(1, :accounts, 1.1)
\else
\set payee random(1, :accounts)
\endif
\set minor random(1, 500)
\set nonce random(1, 9000000000000000000)
begin;
select pg_try_advisory_xact_lock(hashtextextended('idempotency pgbench ' || :nonce, 0));
select principal, key, encode(request_sha256, 'hex'), status, body, created_at from idempotency_keys
where principal = 'pgbench' and key = (:nonce)::text;
select m.account_id, m.balance_minor, m.version, w.account_id, w.balance_minor, w.version
from (select * from accounts where account_id in ('m_' || :payee, 'w_' || :payer) order by account_id for no key update) m
join accounts w on w.account_id = 'w_' || :payer
where m.account_id = 'm_' || :payee;
select new_transfer_id() as tid, date_trunc('milliseconds', clock_timestamp())::text as at \gset
insert into transfers (transfer_id, kind, from_account_id, to_account_id, amount_minor, currency, to_amount_minor, to_currency, created_at)
values ((:tid)::uuid, 'transfer', 'w_' || :payer, 'm_' || :payee, :minor, 'EUR', :minor, 'EUR', (:at)::timestamptz);
update accounts a set
  balance_minor = a.balance_minor + l.minor,
  version = a.version + 1,
  updated_at = greatest(a.updated_at, (:at)::timestamptz),
  chain_hash = sha256(a.chain_hash || convert_to(a.account_id || '|' || a.version + 1 || '|' || (:tid)::text || '|' || l.minor || '|EUR|'
    || a.balance_minor + l.minor || '|' || trunc(extract(epoch from greatest(a.updated_at, (:at)::timestamptz)) * 1000), 'UTF8'))
from (values ('w_' || :payer, -(:minor)::bigint), ('m_' || :payee, (:minor)::bigint)) as l (account_id, minor)
where a.account_id = l.account_id;
insert into postings (account_id, sequence, transfer_id, amount_minor, currency, balance_minor, hash, created_at)
select a.account_id, a.version, (:tid)::uuid, l.minor, 'EUR', a.balance_minor, a.chain_hash, a.updated_at
from (values ('w_' || :payer, -(:minor)::bigint), ('m_' || :payee, (:minor)::bigint)) as l (account_id, minor)
join accounts a on a.account_id = l.account_id;
insert into idempotency_keys (principal, key, request_sha256, status, body, created_at)
values ('pgbench', (:nonce)::text, sha256(int8send((:nonce)::bigint)), 201,
  '{"object":"transfer","data":{"transfer_id":"' || (:tid)::text || '","kind":"transfer","from_account_id":"w_1","to_account_id":"m_1","amount_minor":250,"currency":"EUR","to_amount_minor":250,"to_currency":"EUR","rate": null,"reference": null,"created_at":"2026-01-31T12:00:00.000Z"}}', (:at)::timestamptz);
insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers, created_at)
select (:tid)::uuid, 'transfer', (:tid)::text, 'user_' || :payer, 1, 'transfer.transfer',
  jsonb_build_object('from_account_id', 'w_' || :payer, 'to_account_id', 'm_' || :payee, 'amount_minor', (:minor)::bigint, 'currency', 'EUR',
    'to_amount_minor', (:minor)::bigint, 'to_currency', 'EUR', 'rate', null),
  '{"request_id": "6f1c2b7e-0c3e-4a5e-9a57-2a2f3f6f0a11"}'::jsonb, (:at)::timestamptz
union all
select new_transfer_id(), 'posting', a.account_id, a.user_id, a.version, 'posting.posted',
  jsonb_build_object('transfer_id', (:tid)::text, 'amount_minor', l.minor, 'currency', 'EUR',
    'after', jsonb_build_object('amount_minor', a.balance_minor), 'hash', encode(a.chain_hash, 'hex')), '{}'::jsonb, a.updated_at
from (values ('w_' || :payer, -(:minor)::bigint), ('m_' || :payee, (:minor)::bigint)) as l (account_id, minor)
join accounts a on a.account_id = l.account_id;
commit;
