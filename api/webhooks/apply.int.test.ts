import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OrderWebhook, ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import { createPool } from '../../kernel/postgres/pool.ts';
import { capabilities, type TopologyName } from '../../kernel/topology.ts';
import { asRole, createDatabase, type TestDatabase } from '../../test/postgres/database.ts';
import { type ApplyResult, applyWebhooks } from './apply.ts';
import { oneServerWebhooks } from './store/one-server.ts';

const topologies: TopologyName[] = ['plain', 'partitioned'];

describe.each(topologies)('applyWebhooks on %s', (topology) => {
  let database: TestDatabase;
  let pool: Pool;
  beforeAll(async () => {
    database = await createDatabase(topology);
    pool = createPool({
      dsn: asRole(database.dsn, 'lab_api'),
      applicationName: 'apply-test',
      logger: pino({ level: 'silent' }),
      max: 16,
      pipeline: true,
    });
  });
  afterAll(async () => {
    await pool?.end();
    await database?.drop();
  });

  const apply = (batch: ReceivedWebhook[]) =>
    applyWebhooks(
      { store: oneServerWebhooks({ pool, dedupe: capabilities(topology).dedupe }), now: () => new Date() },
      batch,
    );
  const count = async (text: string, values: unknown[]): Promise<number> => {
    const result = await pool.query<{ count: bigint }>(`select count(*) as count from ${text}`, values);
    return Number(result.rows[0]!.count);
  };

  it('fails only the webhook at fault', async () => {
    const batch = Array.from({ length: 9 }, () => orderWebhook({}));
    batch[4] = orderWebhook({ status: 'no such status' as never });
    const results = await apply(batch);
    expect(results.map((result) => 'error' in result)).toEqual(batch.map((_webhook, index) => index === 4));
    const ids = batch.map((webhook) => webhook.event.providerEventId);
    expect(await count('order_events where provider_event_id = any ($1)', [ids])).toBe(8);
    expect(await count('webhook_deliveries where provider_event_id = any ($1)', [ids])).toBe(8);
  });

  it('leaves one effect when several processes apply the same webhooks at once', async () => {
    const batch = Array.from({ length: 20 }, () => orderWebhook({}));
    const shuffled = Array.from({ length: 8 }, (_value, index) => [...batch.slice(index), ...batch.slice(0, index)]);
    const results = (await Promise.all(shuffled.map(apply))).flat();
    expect(verdicts(results).filter((verdict) => verdict === 'applied')).toHaveLength(20);
    expect(verdicts(results).filter((verdict) => verdict === 'duplicate')).toHaveLength(140);
    const ids = batch.map((webhook) => webhook.event.providerEventId);
    expect(await count('order_events where provider_event_id = any ($1)', [ids])).toBe(20);
  });

  it('never parks an event beside the order that another process is creating', async () => {
    for (let round = 0; round < 20; round++) {
      const created = orderWebhook({});
      const updated = orderWebhook({
        orderId: orderId(created),
        status: 'updated',
        introduces: false,
        providerUpdatedAt: new Date('2026-02-01T00:00:00Z'),
      });
      await Promise.all([apply([updated]), apply([created])]);
      const order = await pool.query('select status, sequence from orders where order_id = $1', [orderId(created)]);
      expect(order.rows).toEqual([{ status: 'updated', sequence: 2n }]);
      expect(await count('parked_webhooks where order_id = $1', [orderId(created)])).toBe(0);
    }
  });

  it('lets webhooks of one batch see each other', async () => {
    const created = orderWebhook({});
    const early = orderWebhook({
      orderId: orderId(created),
      status: 'success',
      introduces: false,
      providerUpdatedAt: new Date('2026-02-01T00:00:00Z'),
    });
    const results = await apply([early, created, created, { ...created, bodySha256: 'ab'.repeat(32) }]);
    expect(verdicts(results)).toEqual(['parked', 'applied', 'duplicate', 'quarantined']);
    expect(
      (await pool.query('select status, sequence from orders where order_id = $1', [orderId(created)])).rows,
    ).toEqual([{ status: 'success', sequence: 2n }]);
    expect(verdicts(await apply([early]))).toEqual(['duplicate']);
  });
});

function verdicts(results: ApplyResult[]): (string | undefined)[] {
  return results.map((result) => ('error' in result ? undefined : result.outcome.verdict));
}

function orderId(webhook: ReceivedWebhook): string {
  return (webhook.event as OrderWebhook).orderId;
}

function orderWebhook(overrides: Partial<OrderWebhook>): ReceivedWebhook {
  const event: OrderWebhook = {
    target: 'order',
    providerEventId: `evt_${randomUUID()}`,
    fingerprint: null,
    orderId: `ord_${randomUUID()}`,
    userId: 'user_1',
    status: 'created',
    attemptReference: null,
    payment: null,
    introduces: true,
    amountMinor: 100n,
    currency: 'EUR',
    providerUpdatedAt: new Date('2026-01-31T12:00:00Z'),
    meta: {},
    ...overrides,
  };
  return {
    provider: 'silvergate',
    event,
    bodySha256: event.providerEventId
      .replace(/[^0-9a-f]/g, '')
      .padEnd(64, '0')
      .slice(0, 64),
    body: '{}',
    receivedAt: new Date(),
    requestId: 'test-request',
    isReleased: false,
  };
}
