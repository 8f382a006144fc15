import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ApiAnswer, type RunningApi, startApi } from '../../test/api/running-api.ts';
import { createSeed, type SeedOrder } from '../../test/api/seed.ts';
import { type SimulatedProvider, startProvider } from '../../test/api/simulated-provider.ts';

let provider: SimulatedProvider;
let api: RunningApi;
let seed: ReturnType<typeof createSeed>;
let now = () => new Date();
let count = 0;

beforeAll(async () => {
  provider = await startProvider({ timeoutMs: 300 });
  api = await startApi({ topology: 'partitioned', provider: provider.client, now: () => now() });
  seed = createSeed(api.webhookPool, 'partitioned');
});

afterEach(() => {
  provider.setFaults({});
  now = () => new Date();
});

afterAll(async () => {
  await api.close();
  await provider.close();
});

async function newOrder(order: Partial<SeedOrder> = {}): Promise<string> {
  const orderId = `ord_${++count}`;
  await seed.order({ orderId, ...order });
  return orderId;
}

const capture = (orderId: string, change: object = {}): Promise<ApiAnswer> =>
  api.call('POST', `/api/v1/orders/${orderId}/capture`, {
    body: { amount_minor: 1_000, currency: 'EUR', idempotency_key: 'key-1', ...change },
  });

const hold = (orderId: string, body: unknown): Promise<ApiAnswer> =>
  api.call('POST', `/api/v1/orders/${orderId}/hold`, { body });

const kinds = async (orderId: string): Promise<string[]> =>
  (await api.query('select kind from order_events where order_id = $1 order by sequence', [orderId])).map((row) =>
    String(row.kind),
  );

/** Sequences are 1..n, the order knows n, and the outbox has the same events. */
async function expectWholeHistory(orderId: string): Promise<void> {
  const events = await api.query(
    `select e.sequence::int as sequence, o.event_type, 'order.' || e.kind as expected, o.sequence::int as outbox_sequence
     from order_events e left join outbox o using (event_id) where e.order_id = $1 order by e.sequence`,
    [orderId],
  );
  expect(events.map((event) => event.sequence)).toEqual(events.map((_event, index) => index + 1));
  for (const event of events) {
    expect({ type: event.event_type, sequence: event.outbox_sequence }).toEqual({
      type: event.expected,
      sequence: event.sequence,
    });
  }
  const [order] = await api.query('select sequence::int as sequence from orders where order_id = $1', [orderId]);
  expect(order).toEqual({ sequence: events.length });
}

describe('hold', () => {
  test('is set, changed and cleared, each with an event, and not twice', async () => {
    const orderId = await newOrder();
    const set = await hold(orderId, { action: 'set', reason: 'risk' });
    expect(set.body).toMatchObject({ object: 'order', data: { on_hold: true, hold_reason: 'risk', sequence: 2 } });
    expect(set.headers.get('x-consistency-token')).toMatch(/^v2\./);
    await hold(orderId, { action: 'set', reason: 'risk' });
    await hold(orderId, { action: 'set', reason: 'manual_review' });
    const cleared = await hold(orderId, { action: 'clear' });
    expect(cleared.body.data).toMatchObject({ on_hold: false, hold_reason: null, sequence: 4 });
    await hold(orderId, { action: 'clear' });
    expect(await kinds(orderId)).toEqual(['webhook_received', 'hold_set', 'hold_set', 'hold_cleared']);
    await expectWholeHistory(orderId);
  });

  test('is refused on a final order and on an unknown one', async () => {
    const orderId = await newOrder({ status: 'success' });
    expect((await hold(orderId, { action: 'set', reason: 'risk' })).body.error.code).toBe('order_final');
    expect((await hold('unknown', { action: 'clear' })).status).toBe(404);
  });

  test.each([
    [{}],
    [{ action: 'set' }],
    [{ action: 'set', reason: 'because' }],
    [{ action: 'remove' }],
    [{ action: 'clear', until: 'tomorrow' }],
    [[]],
    [null],
    ['set'],
  ])('%j is refused', async (body) => {
    expect((await hold('ord_1', body)).status).toBe(400);
  });
});

describe('capture', () => {
  test('is requested, sent once and completed', async () => {
    const orderId = await newOrder();
    const { status, body, headers } = await capture(orderId);
    expect(status).toBe(200);
    const [booked] = provider.capturesOf(orderId);
    expect(body).toMatchObject({
      object: 'capture',
      data: {
        order_id: orderId,
        amount_minor: 1_000,
        currency: 'EUR',
        status: 'completed',
        failure_reason: null,
        capture_id: booked!.idempotency_key,
        provider_reference: booked!.capture_id,
      },
    });
    expect(body.data).not.toHaveProperty('leased_until');
    expect(headers.get('x-consistency-token')).toMatch(/^v2\./);
    expect(await kinds(orderId)).toEqual(['webhook_received', 'capture_requested', 'capture_completed']);
    await expectWholeHistory(orderId);
  });

  test('gives the stored outcome to the same request, and 422 to another one under its key', async () => {
    const orderId = await newOrder();
    const first = await capture(orderId);
    const again = await capture(orderId);
    expect(again.body.data).toEqual(first.body.data);
    expect((await capture(orderId, { amount_minor: 999 })).body.error.code).toBe('idempotency_key_reused');
    expect((await capture(orderId, { currency: 'USD' })).body.error.code).toBe('idempotency_key_reused');
    expect(provider.capturesOf(orderId)).toHaveLength(1);
    expect(await kinds(orderId)).toHaveLength(3);
  });

  test('is recorded as failed when the provider declines, and gives its amount back', async () => {
    const orderId = await newOrder();
    provider.setFaults({ decline_rate: 1 });
    const { status, body } = await capture(orderId, { amount_minor: 10_000 });
    expect({ status, ...body.data }).toMatchObject({ status: 'failed', failure_reason: 'card_declined' });
    expect((await capture(orderId, { amount_minor: 10_000 })).body.data).toEqual(body.data);
    provider.setFaults({});
    expect((await capture(orderId, { amount_minor: 10_000, idempotency_key: 'key-2' })).body.data.status).toBe(
      'completed',
    );
    expect(await kinds(orderId)).toContain('capture_failed');
    await expectWholeHistory(orderId);
  });

  test('never exceeds the order, in parts or at once', async () => {
    const orderId = await newOrder();
    expect((await capture(orderId, { amount_minor: 6_000 })).status).toBe(200);
    const tooMuch = await capture(orderId, { amount_minor: 4_001, idempotency_key: 'key-2' });
    expect(tooMuch.body.error).toMatchObject({ code: 'amount_not_capturable', details: { capturable_minor: 4_000 } });
    expect((await capture(orderId, { amount_minor: 4_000, idempotency_key: 'key-2' })).status).toBe(200);
    const other = await capture(await newOrder(), { currency: 'USD' });
    expect({ status: other.status, code: other.body.error.code }).toEqual({
      status: 422,
      code: 'amount_not_capturable',
    });
  });

  test('twenty at once under different keys together never exceed the order', async () => {
    const orderId = await newOrder();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => capture(orderId, { amount_minor: 3_000, idempotency_key: `key-${i}` })),
    );
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(3);
    expect(answers.filter((answer) => answer.body.error?.code === 'amount_not_capturable')).toHaveLength(17);
    expect(provider.capturesOf(orderId)).toHaveLength(3);
    await expectWholeHistory(orderId);
  });

  test('twenty at once under one key are one capture; the others are told so', async () => {
    const orderId = await newOrder();
    provider.setFaults({ latency_ms: 100 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => capture(orderId)));
    const waiting = answers.filter((answer) => answer.status === 409);
    expect(answers.filter((answer) => answer.status === 200).length).toBeGreaterThanOrEqual(1);
    expect(answers.every((answer) => answer.status === 200 || answer.status === 409)).toBe(true);
    expect(waiting.length).toBeGreaterThan(0);
    expect(waiting[0]!.body.error.code).toBe('operation_in_progress');
    expect(Number(waiting[0]!.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(provider.capturesOf(orderId)).toHaveLength(1);
    expect(await kinds(orderId)).toHaveLength(3);
  });

  test.each([
    [
      'on hold',
      'order_on_hold',
      async (orderId: string) => void (await hold(orderId, { action: 'set', reason: 'risk' })),
    ],
    ['successful', 'order_final', undefined, { status: 'success' }],
    ['failed', 'order_final', undefined, { status: 'failed' }],
    ['of unknown amount', 'order_amount_unknown', undefined, { amountMinor: null, currency: null }],
  ] as const)('of an order that is %s is 409 %s', async (_name, code, prepare?, order?) => {
    const orderId = await newOrder(order);
    await prepare?.(orderId);
    const { status, body } = await capture(orderId);
    expect({ status, code: body.error.code }).toEqual({ status: 409, code });
    expect(provider.capturesOf(orderId)).toEqual([]);
  });

  test('keeps its stored outcome when the order is put on hold later', async () => {
    const orderId = await newOrder();
    const first = await capture(orderId);
    await hold(orderId, { action: 'set', reason: 'risk' });
    expect((await capture(orderId)).body.data).toEqual(first.body.data);
  });

  test('without an outcome is not sent while the order is on hold, by its repetition either', async () => {
    const orderId = await newOrder();
    await api.query(
      `insert into captures (capture_id, order_id, idempotency_key, amount_minor, currency, status)
       values (gen_random_uuid(), $1, 'key-1', 1000, 'EUR', 'requested')`,
      [orderId],
    );
    await hold(orderId, { action: 'set', reason: 'risk' });
    const held = await capture(orderId);
    expect({ status: held.status, code: held.body.error.code }).toEqual({ status: 409, code: 'order_on_hold' });
    expect(provider.capturesOf(orderId)).toHaveLength(0);
    await hold(orderId, { action: 'clear' });
    expect((await capture(orderId)).body.data.status).toBe('completed');
    expect(provider.capturesOf(orderId)).toHaveLength(1);
  });

  test('of an unknown order is 404', async () => {
    expect((await capture('unknown')).status).toBe(404);
  });

  test('the answer was lost: the provider is asked, and there is one capture', async () => {
    const orderId = await newOrder();
    provider.setFaults({ timeout_after_accept_rate: 1 });
    expect((await capture(orderId)).body.data).toMatchObject({ status: 'completed' });
    expect(provider.capturesOf(orderId)).toHaveLength(1);
  });

  test('the outcome is unknown: 503, and the repetition finishes it with one capture', async () => {
    const orderId = await newOrder();
    provider.setFaults({ reset_rate: 1 });
    const lost = await capture(orderId);
    expect({ status: lost.status, code: lost.body.error.code }).toEqual({ status: 503, code: 'provider_unavailable' });
    expect(lost.headers.get('retry-after')).toBe('2');
    expect(await kinds(orderId)).toEqual(['webhook_received', 'capture_requested']);
    // What may have been captured cannot be captured again under another key.
    const other = await capture(orderId, { amount_minor: 9_500, idempotency_key: 'key-2' });
    expect(other.body.error.code).toBe('amount_not_capturable');
    provider.setFaults({});
    expect((await capture(orderId)).body.data.status).toBe('completed');
    expect(provider.capturesOf(orderId)).toHaveLength(1);
    await expectWholeHistory(orderId);
  });

  test('a crash before or after the provider was asked is mended by the repetition', async () => {
    for (const sentBefore of [false, true]) {
      const orderId = await newOrder();
      const captureId = crypto.randomUUID();
      await api.query(
        `insert into captures (capture_id, order_id, idempotency_key, amount_minor, currency, status, leased_until)
         values ($1, $2, 'key-1', 1000, 'EUR', 'requested', now() + interval '10 seconds')`,
        [captureId, orderId],
      );
      if (sentBefore) await provider.client.capture({ captureId, orderId, amountMinor: 1_000n, currency: 'EUR' });
      expect((await capture(orderId)).body.error.code).toBe('operation_in_progress');
      now = () => new Date(Date.now() + 11_000);
      expect((await capture(orderId)).body.data).toMatchObject({ capture_id: captureId, status: 'completed' });
      now = () => new Date();
      expect(provider.capturesOf(orderId)).toHaveLength(1);
    }
  });

  test('a hundred captures through a faulty provider end with one booking each, or none', async () => {
    const orderIds = await Promise.all(Array.from({ length: 100 }, () => newOrder()));
    provider.setFaults({ error_rate: 0.3, reset_rate: 0.2, timeout_after_accept_rate: 0.1, decline_rate: 0.2 });
    const inParallel = async (work: (orderId: string) => Promise<unknown>) => {
      for (let i = 0; i < orderIds.length; i += 20) await Promise.all(orderIds.slice(i, i + 20).map(work));
    };
    await inParallel((orderId) => capture(orderId));
    provider.setFaults({ decline_rate: 0.2 });
    await inParallel(async (orderId) => {
      const { body } = await capture(orderId);
      const booked = provider.capturesOf(orderId);
      expect(booked).toHaveLength(1);
      expect(body.data.status).toBe(booked[0]!.status === 'completed' ? 'completed' : 'failed');
      await expectWholeHistory(orderId);
    });
  }, 60_000);
});
