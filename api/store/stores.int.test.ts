import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPool } from '../../kernel/postgres/pool.ts';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { createUndistributedDatabase } from '../../test/api/undistributed.ts';
import { asRole, createDatabase, type TestDatabase } from '../../test/postgres/database.ts';
import { addEvidence } from '../disputes/evidence.ts';
import type { DisputeStore } from '../disputes/store/dispute-store.ts';
import { oneServerDisputes } from '../disputes/store/one-server.ts';
import { shardedDisputes } from '../disputes/store/sharded.ts';
import { submitEvidence } from '../disputes/submit.ts';
import { captureOrder } from '../orders/capture.ts';
import { changeHold } from '../orders/hold.ts';
import { recoverCaptures } from '../orders/recover-captures.ts';
import { oneServerOrders } from '../orders/store/one-server.ts';
import type { OrderStore } from '../orders/store/order-store.ts';
import { shardedOrders } from '../orders/store/sharded.ts';
import type { ProviderClient } from '../provider-client/client.ts';
import { createOwners } from '../shards/owners.ts';

interface Stores {
  orders: OrderStore;
  disputes: DisputeStore;
}

const forms = {
  'one server': {
    database: () => createDatabase('partitioned'),
    stores: (pool: Pool): Stores => ({ orders: oneServerOrders(pool), disputes: oneServerDisputes(pool) }),
  },
  shards: {
    database: createUndistributedDatabase,
    stores: (pool: Pool): Stores => {
      const owners = createOwners({ pool, reads: pool, maxBatch: 10, maxQueue: 10 });
      return { orders: shardedOrders({ pool, owners }), disputes: shardedDisputes({ pool, owners }) };
    },
  },
};

const logger = pino({ level: 'silent' });
const now = () => new Date();
const requestId = 'test';

/** The use cases ask both stores the same, and get the same. */
describe.each(Object.entries(forms))('commands and reads on %s', (form, { database: create, stores: open }) => {
  let database: TestDatabase;
  let pool: Pool;
  let stores: Stores;

  beforeAll(async () => {
    database = await create();
    pool = createPool({ dsn: asRole(database.dsn, 'lab_api'), applicationName: 'stores', logger, max: 4 });
    stores = open(pool);
    const names = "'ord_1', 'user_1', 'silvergate', now(), now(), now(), 1, 900, 'EUR'";
    await withClient(database.dsn, async (admin) => {
      if (form === 'shards') await admin.query("insert into order_owners values ('ord_1', 'user_1', false)");
      await admin.query(
        `insert into orders (order_id, user_id, provider, provider_updated_at, created_at, updated_at, sequence, amount_minor, currency, status)
         values (${names}, 'created')`,
      );
      await admin.query(
        `insert into disputes (order_id, user_id, provider, provider_updated_at, created_at, updated_at, sequence, amount_minor, currency,
           dispute_id, status, reason, opened_at)
         values (${names}, 'dp_1', 'open', 'fraud', now())`,
      );
    });
  });
  afterAll(async () => {
    await pool?.end();
    await database?.drop();
  });

  const kindsOf = async (orderId: string) => {
    const order = (await stores.orders.find(pool, orderId))!;
    return (await stores.orders.events(pool, order, { after: 1n, limit: 10 })).map((event) => event.kind);
  };

  test('a hold is set and cleared', async () => {
    const deps = { orders: stores.orders, now };
    await changeHold(deps, { orderId: 'ord_1', action: 'set', reason: 'risk', requestId });
    expect(await stores.orders.find(pool, 'ord_1')).toMatchObject({ on_hold: true, hold_reason: 'risk', sequence: 2n });
    await changeHold(deps, { orderId: 'ord_1', action: 'clear', requestId });
    expect(await stores.orders.find(pool, 'ord_1')).toMatchObject({ on_hold: false, sequence: 3n });
    expect(await kindsOf('ord_1')).toEqual(['hold_set', 'hold_cleared']);
  });

  test('a capture is finished once, also when its caller never comes back', async () => {
    let answer: 'unknown' | 'completed' = 'unknown';
    const capture = async () =>
      answer === 'unknown' ? ({ status: 'unknown' } as const) : ({ status: 'completed', reference: 'ref' } as const);
    const provider = { capture, resumeCapture: capture, budgetMs: 1_000 } as unknown as ProviderClient;
    const deps = { orders: stores.orders, provider, now, logger };
    const command = { orderId: 'ord_1', amount_minor: 500n, currency: 'EUR', idempotency_key: 'key-1', requestId };
    await expect(captureOrder(deps, command)).rejects.toMatchObject({ code: 'provider_unavailable' });
    answer = 'completed';
    expect(await recoverCaptures({ ...deps, now: () => new Date(Date.now() + 60_000) })).toBe(1);
    const { result } = await captureOrder(deps, command);
    expect(result).toMatchObject({ status: 'completed', provider_reference: 'ref', leased_until: null });
    await expect(captureOrder(deps, { ...command, idempotency_key: 'key-2' })).rejects.toMatchObject({
      code: 'amount_not_capturable',
      details: { capturable_minor: 400n },
    });
    expect(await kindsOf('ord_1')).toEqual(['hold_set', 'hold_cleared', 'capture_requested', 'capture_completed']);
  });

  test('evidence is stored with its files and submitted', async () => {
    const files = [{ name: 'a.txt', contentType: 'text/plain', content: Buffer.from('abc') }];
    const deps = { disputes: stores.disputes, now };
    const added = await addEvidence(deps, { disputeId: 'dp_1', fields: { note: 'x' }, files, requestId });
    const dispute = (await stores.disputes.find(pool, 'dp_1'))!;
    expect(await stores.disputes.evidence(pool, dispute)).toEqual([added.result]);
    const sent: unknown[] = [];
    const provider = {
      represent: async (_disputeId: string, evidence: unknown[]) => {
        sent.push(...evidence);
        return { status: 'accepted', reference: 'rep', evidenceIds: [added.result.evidence_id] };
      },
    } as unknown as ProviderClient;
    const { result } = await submitEvidence({ ...deps, provider }, { disputeId: 'dp_1', requestId });
    expect(result).toMatchObject({ status: 'submitted', sequence: 3n });
    expect(sent).toEqual([{ evidenceId: added.result.evidence_id, fields: { note: 'x' }, files }]);
  });

  test('what is not there is not found', async () => {
    const unknown = { orderId: 'ord_9', disputeId: 'dp_9', requestId };
    const deps = { ...stores, now };
    expect(await stores.orders.find(pool, 'ord_9')).toBeUndefined();
    expect(await stores.disputes.find(pool, 'dp_9')).toBeUndefined();
    await expect(changeHold(deps, { ...unknown, action: 'clear' })).rejects.toMatchObject({ code: 'not_found' });
    await expect(addEvidence(deps, { ...unknown, fields: {}, files: [] })).rejects.toMatchObject({ code: 'not_found' });
  });
});
