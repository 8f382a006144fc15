-- One chargeback as the API applies a batch of one: the same statements on the same tables, one round trip each.
\set order random(1, :orders)
\set nonce random(1, 9000000000000000000)
\set user random(1, 10000)
begin;
select provider, provider_event_id, encode(body_sha256, 'hex') from webhook_deliveries
where provider = 'silvergate' and provider_event_id = 'evt_' || :nonce and verdict not in ('duplicate', 'quarantined');
select order_id, user_id, status, amount_minor, currency, sequence, provider, provider_updated_at from orders
where order_id = 'pgb_' || :order for no key update;
select dispute_id, order_id, user_id, status, reason, amount_minor, currency, sequence, provider, provider_updated_at,
  opened_at, evidence_due_at, closed_at
from disputes where dispute_id = 'dp_' || :nonce for no key update;
insert into webhook_deliveries (delivery_id, provider, provider_event_id, body_sha256, body, verdict, reason, received_at)
values (uuidv7(), 'silvergate', 'evt_' || :nonce, sha256(int8send(:nonce)), repeat('x', 330), 'applied', null, now());
insert into disputes (dispute_id, order_id, user_id, status, reason, amount_minor, currency, sequence, provider, provider_updated_at, opened_at)
values ('dp_' || :nonce, 'pgb_' || :order, 'user_' || :user, 'open', 'fraud', 1999, 'EUR', 1, 'silvergate', now(), now());
insert into dispute_events (event_id, dispute_id, order_id, user_id, sequence, kind, provider, provider_event_id, data, created_at)
values (uuidv7(), 'dp_' || :nonce, 'pgb_' || :order, 'user_' || :user, 1, 'webhook_opened', 'silvergate', 'evt_' || :nonce,
  '{"status": "open", "verdict": "applied", "reason": "fraud", "amount_minor": 1999, "currency": "EUR", "provider_updated_at": "2026-01-31T12:00:00.000Z", "evidence_due_at": null, "after": {"status": "open", "reason": "fraud", "amount_minor": 1999, "currency": "EUR"}, "meta": {}}', now());
insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers, created_at)
values (uuidv7(), 'dispute', 'dp_' || :nonce, 'user_' || :user, 1, 'dispute.webhook_opened',
  '{"status": "open", "verdict": "applied", "reason": "fraud", "amount_minor": 1999, "currency": "EUR", "provider_updated_at": "2026-01-31T12:00:00.000Z", "evidence_due_at": null, "after": {"status": "open", "reason": "fraud", "amount_minor": 1999, "currency": "EUR"}, "meta": {}, "kind": "webhook_opened", "order_id": "pgb_1", "dispute_id": "dp_1", "provider": "silvergate", "provider_event_id": "evt_1"}',
  '{"request_id": "6f1c2b7e-0c3e-4a5e-9a57-2a2f3f6f0a11", "sent_at_ms": "1767225600000", "accepted_at_ms": "1767225600123"}', now());
commit;
