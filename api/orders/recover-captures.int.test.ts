import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type RunningApi, startApi } from '../../test/api/running-api.ts';
import { createSeed } from '../../test/api/seed.ts';
import { type SimulatedProvider, startProvider } from '../../test/api/simulated-provider.ts';
import { type CaptureRecovery, recoverCaptures, startCaptureRecovery } from './recover-captures.ts';
import { oneServerOrders } from './store/one-server.ts';

let provider: SimulatedProvider;
let api: RunningApi;
let deps: CaptureRecovery;
let seed: ReturnType<typeof createSeed>;
let count = 0;

beforeAll(async () => {
  provider = await startProvider({ timeoutMs: 300 });
  api = await startApi({ topology: 'plain', provider: provider.client });
  seed = createSeed(api.webhookPool, 'plain');
  const logger = pino({ level: 'silent' });
  const orders = oneServerOrders(api.pool);
  deps = { orders, provider: provider.client, now: () => new Date(Date.now() + 60_000), logger };
});

beforeEach(() => provider.setFaults({}));

afterAll(async () => {
  await api.close();
  await provider.close();
});

/** An order with a capture whose outcome its caller never learnt. */
async function abandoned(): Promise<string> {
  const orderId = `ord_${++count}`;
  await seed.order({ orderId });
  provider.setFaults({ reset_rate: 1 });
  const body = { amount_minor: 10_000, currency: 'EUR', idempotency_key: 'key-1' };
  expect((await api.call('POST', `/api/v1/orders/${orderId}/capture`, { body })).status).toBe(503);
  provider.setFaults({});
  return orderId;
}

const statusOf = async (orderId: string) =>
  (await api.query('select status from captures where order_id = $1', [orderId])).map((row) => row.status);

test('an abandoned capture is finished once, however many look for it', async () => {
  const orderId = await abandoned();
  const finished = await Promise.all([recoverCaptures(deps), recoverCaptures(deps), recoverCaptures(deps)]);
  expect(finished).toContain(1);
  expect(await statusOf(orderId)).toEqual(['completed']);
  expect(provider.capturesOf(orderId)).toHaveLength(1);
  const events = await api.query('select kind from order_events where order_id = $1 order by sequence', [orderId]);
  expect(events.map((event) => event.kind)).toEqual(['webhook_received', 'capture_requested', 'capture_completed']);
  expect(await recoverCaptures(deps)).toBe(0);
});

test('one that is young, or that a request is asking the provider for, is left alone', async () => {
  const orderId = await abandoned();
  expect(await recoverCaptures({ ...deps, now: () => new Date() })).toBe(0);
  await api.query(`update captures set leased_until = now() + interval '5 minutes' where order_id = $1`, [orderId]);
  expect(await recoverCaptures(deps)).toBe(0);
  await api.query('update captures set leased_until = null where order_id = $1', [orderId]);
  expect(await recoverCaptures(deps)).toBe(1);
});

test('one of an order on hold waits until the hold is cleared', async () => {
  const orderId = await abandoned();
  const hold = (body: unknown) => api.call('POST', `/api/v1/orders/${orderId}/hold`, { body });
  await hold({ action: 'set', reason: 'risk' });
  expect(await recoverCaptures(deps)).toBe(0);
  await hold({ action: 'clear' });
  expect(await recoverCaptures(deps)).toBe(1);
});

test('while the provider is away nothing is finished and nothing is lost', async () => {
  const orderId = await abandoned();
  provider.setFaults({ error_rate: 1 });
  expect(await recoverCaptures(deps)).toBe(0);
  expect(await statusOf(orderId)).toEqual(['requested']);
  provider.setFaults({});
  expect(await recoverCaptures(deps)).toBe(1);
});

test('it runs by itself until it is stopped', async () => {
  const orderId = await abandoned();
  const stop = startCaptureRecovery(deps, 10);
  await vi.waitFor(async () => expect(await statusOf(orderId)).toEqual(['completed']), 5_000);
  await stop();
  const other = await abandoned();
  expect(await statusOf(other)).toEqual(['requested']);
});
