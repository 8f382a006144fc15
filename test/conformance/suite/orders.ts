import { describe, expect, test } from 'vitest';
import { clientOf, providerTime, type Target, unique } from '../target.ts';

/** The order endpoints: reads, holds, captures. */
export function orderSuite(target: () => Target): void {
  const client = () => clientOf(target());

  async function newOrder(overrides: Record<string, unknown> = {}): Promise<string> {
    const orderId = unique('ord');
    const answer = await client().order({ order_id: orderId, amount_minor: 5000, currency: 'EUR', ...overrides });
    expect(answer.status).toBe(202);
    return orderId;
  }

  async function finish(orderId: string, status: string, overrides: Record<string, unknown> = {}): Promise<void> {
    const update = { order_id: orderId, status, updated_at: providerTime(60), amount_minor: 5000, ...overrides };
    expect((await client().order(update)).body.data.verdict).toBe('applied');
  }

  const capture = (orderId: string, overrides: Record<string, unknown> = {}) =>
    client().post(`/api/v1/orders/${orderId}/capture`, {
      amount_minor: 5000,
      currency: 'EUR',
      idempotency_key: unique('key'),
      ...overrides,
    });

  describe('reads', () => {
    test('a list is filtered and paged by a cursor without gaps or repetitions', async () => {
      const userId = unique('user').slice(0, 40);
      const ids: string[] = [];
      for (let i = 0; i < 7; i++) ids.push(await newOrder({ user_id: userId }));
      await target().settle();
      const listed = await client().allPages(`/api/v1/orders?user_id=${userId}&limit=3`);
      expect(listed.pages).toBe(3);
      expect(listed.items.map((order) => order.order_id).sort()).toEqual([...ids].sort());
      const ascending = await client().allPages(`/api/v1/orders?user_id=${userId}&limit=3&sort=created_at`);
      expect(ascending.items.map((order) => order.order_id)).toEqual(
        listed.items.map((order) => order.order_id).reverse(),
      );
      await finish(ids[0]!, 'failed', { user_id: userId });
      const failed = await client().settled(`/api/v1/orders?user_id=${userId}&status=failed`);
      expect(failed.map((order: { order_id: string }) => order.order_id)).toEqual([ids[0]]);
    });

    test('wrong questions are refused: 400 and 404', async () => {
      const answers = await Promise.all(
        [
          '/api/v1/orders?limit=0',
          '/api/v1/orders?limit=201',
          '/api/v1/orders?status=gone',
          '/api/v1/orders?colour=red',
          '/api/v1/orders?cursor=forged',
          '/api/v1/orders/%20bad',
          `/api/v1/orders/${unique('ord')}`,
          `/api/v1/orders/${unique('ord')}/events`,
          '/api/v1/nothing',
        ].map((path) => client().get(path)),
      );
      expect(answers.map((answer) => answer.status)).toEqual([400, 400, 400, 400, 400, 400, 404, 404, 404]);
      expect(answers.every((answer) => answer.body.success === false && answer.body.trace_id)).toBe(true);
    });

    test('every answer carries the caller’s sane request id, or a new one', async () => {
      const given = await client().get('/api/v1/orders?limit=1', { 'x-request-id': 'caller 1 {"}' });
      expect([given.headers.get('x-request-id'), given.body.trace_id]).toEqual(['caller 1 {"}', 'caller 1 {"}']);
      const made = await client().get('/api/v1/orders?limit=1', { 'x-request-id': `${'long'.repeat(32)}.` });
      expect(made.body.trace_id).toMatch(/^[\w-]{8,}$/);
    });
  });

  describe('holds', () => {
    test('a hold is set, blocks a capture with 409, and is cleared', async () => {
      const orderId = await newOrder();
      const path = `/api/v1/orders/${orderId}/hold`;
      const set = await client().post(path, { action: 'set', reason: 'manual_review' });
      expect(set.body.data).toMatchObject({ on_hold: true, hold_reason: 'manual_review', sequence: 2 });
      const blocked = await capture(orderId);
      expect([blocked.status, blocked.body.error.code]).toEqual([409, 'order_on_hold']);
      const cleared = await client().post(path, { action: 'clear' });
      expect(cleared.body.data).toMatchObject({ on_hold: false, hold_reason: null, sequence: 3 });
      expect((await capture(orderId)).status).toBe(200);
      const events = await client().settled(`/api/v1/orders/${orderId}/events`);
      expect(events.map((event: { kind: string }) => event.kind).sort()).toEqual(
        ['webhook_received', 'hold_set', 'hold_cleared', 'capture_requested', 'capture_completed'].sort(),
      );
    });

    test('wrong holds are refused', async () => {
      const orderId = await newOrder();
      const path = `/api/v1/orders/${orderId}/hold`;
      const missing = await client().post(`/api/v1/orders/${unique('ord')}/hold`, { action: 'set', reason: 'risk' });
      const noReason = await client().post(path, { action: 'set' });
      const unknown = await client().post(path, { action: 'set', reason: 'mood' });
      expect([missing.status, noReason.status, unknown.status]).toEqual([404, 400, 400]);
    });
  });

  describe('captures', () => {
    test('the same key and amount is captured once at the provider and answered the same', async () => {
      const orderId = await newOrder();
      const key = unique('key');
      const first = await capture(orderId, { idempotency_key: key });
      const again = await capture(orderId, { idempotency_key: key });
      expect(first.body.data).toMatchObject({ status: 'completed', amount_minor: 5000, order_id: orderId });
      expect(again.body.data).toEqual(first.body.data);
      const ledger = await (await fetch(`${target().providerUrl}/ledger`)).text();
      expect(ledger.split(first.body.data.capture_id).length - 1).toBeGreaterThan(0);
      const provider = await fetch(`${target().providerUrl}/captures/${first.body.data.capture_id}`);
      expect(provider.status).toBe(200);
    });

    test('ten at once with one key capture once', async () => {
      const orderId = await newOrder();
      const key = unique('key');
      const answers = await Promise.all(Array.from({ length: 10 }, () => capture(orderId, { idempotency_key: key })));
      const done = answers.filter((answer) => answer.status === 200);
      expect(done.length).toBeGreaterThan(0);
      expect(new Set(done.map((answer) => answer.body.data.capture_id)).size).toBe(1);
      expect(answers.every((answer) => answer.status === 200 || answer.status === 409)).toBe(true);
      const events = await client().settled(`/api/v1/orders/${orderId}/events`);
      expect(events.filter((event: { kind: string }) => event.kind === 'capture_completed')).toHaveLength(1);
    });

    test('partial captures add up and never exceed the order', async () => {
      const orderId = await newOrder();
      const answers = await Promise.all([3000, 3000, 3000].map((amount) => capture(orderId, { amount_minor: amount })));
      expect(answers.map((answer) => answer.status).sort()).toEqual([200, 422, 422]);
      expect((await capture(orderId, { amount_minor: 2000 })).status).toBe(200);
      expect((await capture(orderId, { amount_minor: 1 })).body.error.code).toBe('amount_not_capturable');
    });

    test('refusals: another amount under the key, final order, other currency, bad amounts', async () => {
      const orderId = await newOrder();
      const key = unique('key');
      await capture(orderId, { idempotency_key: key, amount_minor: 100 });
      const reused = await capture(orderId, { idempotency_key: key, amount_minor: 200 });
      const currency = await capture(orderId, { currency: 'USD', amount_minor: 100 });
      expect([reused.status, currency.status]).toEqual([422, 422]);
      for (const amount of [0, -1, 10.5, '1e3', '１２', '9223372036854775808', 2 ** 53]) {
        expect((await capture(orderId, { amount_minor: amount })).status, String(amount)).toBe(400);
      }
      await finish(orderId, 'success');
      const final = await capture(orderId, { amount_minor: 100 });
      expect([final.status, final.body.error.code]).toEqual([409, 'order_final']);
    });
  });
}
