import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { waitUntil } from '../../kernel/wait.ts';
import { operatorToken } from '../../runtime/access-token.ts';
import { type RunningSystem, startSystem } from '../../runtime/native/system.ts';
import { createRandom } from '../../simulator/workload/random.ts';

const orders = 90;
const kills = 3;
const workers = 12;

/**
 * The provider loses answers, resets and declines, and the API is killed while it asks. Every client repeats its
 * request under the same key until it has an outcome. The provider's own ledger then has to agree with the database.
 */
describe.each([1, 2, 3])('kill -9 of the API while it captures, seed %i', (seed) => {
  let system: RunningSystem;
  beforeEach(async () => {
    system = await startSystem({ topology: 'partitioned', apiEnvironment: { PROVIDER_TIMEOUT_MS: '150' } });
  });
  afterEach(() => system?.stop());

  test('moves money exactly once per request, and tells what the provider tells', async () => {
    const random = createRandom(seed, 1);
    await seedOrders(system.dsn.admin);
    await putFaults(system, { error_rate: 0.1, reset_rate: 0.1, timeout_after_accept_rate: 0.1, decline_rate: 0.1 });

    const outcomes = new Map<number, string>();
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let order = next++; order < orders; order = next++)
        outcomes.set(order, await captureUntilKnown(system, order));
    };
    const load = Promise.all(Array.from({ length: workers }, worker));
    for (let kill = 0; kill < kills; kill++) {
      const mark = Math.floor(((kill + 0.2 + random.next() * 0.7) * (orders - 2 * workers)) / kills);
      await waitUntil(() => outcomes.size >= mark, { timeoutMs: 60_000, intervalMs: 1 });
      expect(outcomes.size, 'the kill comes while captures are under way').toBeLessThan(orders);
      system.api.kill('SIGKILL');
      await system.api.restart();
    }
    await load;

    const booked = await ledger(system);
    expect(booked.map((entry) => entry.order_id).sort()).toEqual(
      Array.from({ length: orders }, (_, order) => `ord_${order}`).sort(),
    );
    for (const { order_id, status } of booked) {
      const expected = status === 'completed' ? 'completed' : 'failed';
      expect({ order_id, outcome: outcomes.get(Number(order_id.slice(4))) }).toEqual({ order_id, outcome: expected });
    }
    expect(await stored(system.dsn.admin)).toEqual(
      booked
        .map(({ order_id, status, idempotency_key }) => ({
          order_id,
          capture_id: idempotency_key,
          sequences: [1, 2, 3],
          status: status === 'completed' ? status : 'failed',
          kinds: [
            'webhook_received',
            'capture_requested',
            status === 'completed' ? 'capture_completed' : 'capture_failed',
          ],
        }))
        .sort((a, b) => (a.order_id < b.order_id ? -1 : 1)),
    );
  });
});

async function captureUntilKnown(system: RunningSystem, order: number): Promise<string> {
  let outcome: string | undefined;
  const authorization = `Bearer ${await operatorToken(system)}`;
  const attempt = async (): Promise<boolean> => {
    const response = await fetch(`${system.urls.api}/api/v1/orders/ord_${order}/capture`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: JSON.stringify({ amount_minor: 1_000, currency: 'EUR', idempotency_key: `key-${order}` }),
      signal: AbortSignal.timeout(10_000),
    }).catch(() => undefined);
    const body = (await response?.json().catch(() => undefined)) as
      | { data: { status: string } | null; error: { code: string } | null }
      | undefined;
    if (response?.status === 200) outcome = body?.data?.status;
    else if (response) expect([409, 503]).toContain(response.status);
    return outcome !== undefined;
  };
  await waitUntil(attempt, { timeoutMs: 60_000, intervalMs: 50 });
  return outcome ?? 'never known';
}

async function putFaults(system: RunningSystem, faults: Record<string, number>): Promise<void> {
  const response = await fetch(`${system.urls.provider}/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ latency_ms: 10, jitter_ms: 20, ...faults }),
  });
  expect(response.status).toBe(200);
}

async function ledger(system: RunningSystem): Promise<{ order_id: string; status: string; idempotency_key: string }[]> {
  const text = await (await fetch(`${system.urls.provider}/ledger`)).text();
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

async function seedOrders(dsn: string): Promise<void> {
  await withClient(dsn, async (client) => {
    await client.query(
      `insert into orders (order_id, user_id, status, amount_minor, currency, sequence, provider, provider_updated_at)
       select 'ord_' || i, 'user_' || i, 'created', 1000, 'EUR', 1, 'silvergate', now()
       from generate_series(0, $1::int - 1) i`,
      [orders],
    );
    await client.query(
      `insert into order_events (event_id, order_id, user_id, sequence, kind, data)
       select gen_random_uuid(), order_id, user_id, 1, 'webhook_received', '{}' from orders`,
    );
  });
}

async function stored(dsn: string): Promise<unknown[]> {
  return withClient(dsn, async (client) => {
    const { rows } = await client.query(
      `select c.order_id, c.capture_id, c.status, e.kinds, e.sequences
       from captures c join (
         select order_id, array_agg(kind order by sequence) as kinds, array_agg(sequence::int order by sequence) as sequences
         from order_events group by order_id
       ) e using (order_id)
       order by c.order_id collate "C"`,
    );
    return rows;
  });
}
