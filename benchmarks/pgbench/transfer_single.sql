-- One transfer, the whole transaction in one statement: pgbench's cheapest way to the same rows and checks.
\set payer random(1, :accounts)
\if :zipf
\set payee random_zipfian(1, :accounts, 1.1)
\else
\set payee random(1, :accounts)
\endif
\set minor random(1, 500)
\set nonce random(1, 9000000000000000000)
with
  made as materialized (
    select new_transfer_id() as transfer_id, date_trunc('milliseconds', clock_timestamp()) as at
    where pg_try_advisory_xact_lock(hashtextextended('idempotency pgbench ' || :nonce, 0))
      and not exists (select from idempotency_keys where principal = 'pgbench' and key = (:nonce)::text)
  ),
  locked as materialized (
    select * from accounts where account_id in ('m_' || :payee, 'w_' || :payer) order by account_id for no key update
  ),
  legs as materialized (
    select account_id, user_id, version + 1 as sequence, transfer_id, minor, balance_minor + minor as balance, made.at as made_at,
      greatest(updated_at, made.at) as at, chain_hash
    from made, locked cross join lateral (select case when kind = 'wallet' then -(:minor)::bigint else (:minor)::bigint end as minor) m
  ),
  posted as materialized (
    select l.*, sha256(chain_hash || convert_to(account_id || '|' || sequence || '|' || transfer_id || '|' || minor || '|EUR|'
      || balance || '|' || trunc(extract(epoch from at) * 1000), 'UTF8')) as hash
    from legs l
  ),
  transfer as (
    insert into transfers (transfer_id, kind, from_account_id, to_account_id, amount_minor, currency, to_amount_minor, to_currency, created_at)
    select transfer_id, 'transfer', 'w_' || :payer, 'm_' || :payee, (:minor)::bigint, 'EUR', (:minor)::bigint, 'EUR', at from made
  ),
  changed as (
    update accounts a set balance_minor = p.balance, version = p.sequence, chain_hash = p.hash, updated_at = p.at
    from posted p where a.account_id = p.account_id
  ),
  posting as (
    insert into postings (account_id, sequence, transfer_id, amount_minor, currency, balance_minor, hash, created_at)
    select account_id, sequence, transfer_id, minor, 'EUR', balance, hash, at from posted
  ),
  answer as (
    insert into idempotency_keys (principal, key, request_sha256, status, body, created_at)
    select 'pgbench', (:nonce)::text, sha256(int8send((:nonce)::bigint)), 201,
      '{"object":"transfer","data":{"transfer_id":"' || transfer_id || '","kind":"transfer","from_account_id":"w_1","to_account_id":"m_1","amount_minor":250,"currency":"EUR","to_amount_minor":250,"to_currency":"EUR","rate": null,"reference": null,"created_at":"2026-01-31T12:00:00.000Z"}}', at
    from made
  )
insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers, created_at)
select transfer_id, 'transfer', transfer_id::text, 'user_' || :payer, 1, 'transfer.transfer',
  jsonb_build_object('from_account_id', 'w_' || :payer, 'to_account_id', 'm_' || :payee, 'amount_minor', (:minor)::bigint, 'currency', 'EUR',
    'to_amount_minor', (:minor)::bigint, 'to_currency', 'EUR', 'rate', null),
  '{"request_id": "6f1c2b7e-0c3e-4a5e-9a57-2a2f3f6f0a11"}'::jsonb, at
from made
union all
select new_transfer_id(), 'posting', account_id, user_id, sequence, 'posting.posted',
  jsonb_build_object('transfer_id', transfer_id, 'amount_minor', minor, 'currency', 'EUR',
    'after', jsonb_build_object('amount_minor', balance), 'hash', encode(hash, 'hex')), '{}'::jsonb, at
from posted;
