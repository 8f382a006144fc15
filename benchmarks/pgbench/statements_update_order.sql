-- One order update as the API applies a batch of one: the same statements on the same tables, one round trip each.
\set order random(1, :orders)
\set nonce random(1, 9000000000000000000)
\set user random(1, 10000)
begin;
select provider, provider_event_id, encode(body_sha256, 'hex') from webhook_deliveries
where provider = 'silvergate' and provider_event_id = 'evt_' || :nonce and verdict not in ('duplicate', 'quarantined');
select order_id, user_id, status, amount_minor, currency, sequence, provider, provider_updated_at from orders
where order_id = 'pgb_' || :order for no key update;
insert into webhook_deliveries (delivery_id, provider, provider_event_id, body_sha256, body, verdict, reason, received_at)
values (uuidv7(), 'silvergate', 'evt_' || :nonce, sha256(int8send(:nonce)), repeat('x', 330), 'applied', null, now());
update orders set status = 'updated', sequence = sequence + 1, provider_updated_at = now(), updated_at = now()
where order_id = 'pgb_' || :order;
insert into order_events (event_id, order_id, user_id, sequence, kind, provider, provider_event_id, data, created_at)
values (uuidv7(), 'pgb_' || :order, 'user_' || :user, :nonce, 'webhook_received', 'silvergate', 'evt_' || :nonce,
  '{"status": "updated", "verdict": "applied", "amount_minor": null, "currency": null, "provider_updated_at": "2026-01-31T12:00:00.000Z", "after": {"status": "updated", "amount_minor": 1999, "currency": "EUR"}, "meta": {}}', now());
insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers, created_at)
values (uuidv7(), 'order', 'pgb_' || :order, 'user_' || :user, :nonce, 'order.webhook_received',
  '{"status": "updated", "verdict": "applied", "amount_minor": null, "currency": null, "provider_updated_at": "2026-01-31T12:00:00.000Z", "after": {"status": "updated", "amount_minor": 1999, "currency": "EUR"}, "meta": {}, "kind": "webhook_received", "order_id": "pgb_1", "provider": "silvergate", "provider_event_id": "evt_1"}',
  '{"request_id": "6f1c2b7e-0c3e-4a5e-9a57-2a2f3f6f0a11", "sent_at_ms": "1767225600000", "accepted_at_ms": "1767225600123"}', now());
commit;
