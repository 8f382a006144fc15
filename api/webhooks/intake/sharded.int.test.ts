import { createHash } from 'node:crypto';
import { Client, type Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ContractEvent, ReceivedWebhook } from '../../../kernel/contract/webhooks.ts';
import type { GroupCommit } from '../../../kernel/group-commit.ts';
import { createPool } from '../../../kernel/postgres/pool.ts';
import { adyen } from '../../../kernel/providers/adyen.ts';
import { createUndistributedDatabase } from '../../../test/api/undistributed.ts';
import { asRole, type TestDatabase } from '../../../test/postgres/database.ts';
import { authorise, modify } from '../../../test/webhooks/provider-events.ts';
import { createOwners } from '../../shards/owners.ts';
import type { ApplyResult } from '../apply.ts';
import { shardedIntake } from './sharded.ts';

let database: TestDatabase;
let pool: Pool;
let client: Client;
let commit: GroupCommit<ReceivedWebhook, ApplyResult>;

beforeAll(async () => {
  database = await createUndistributedDatabase();
  const logger = pino({ level: 'silent' });
  pool = createPool({
    dsn: asRole(database.dsn, 'lab_api'),
    applicationName: 'sharded',
    logger,
    max: 4,
    pipeline: true,
  });
  const place = { shardId: '1', node: { host: '127.0.0.1', port: 1 } };
  commit = shardedIntake({
    owners: createOwners({ pool, reads: pool, maxBatch: 100, maxQueue: 1_000 }),
    placement: { of: async () => place, known: () => place, forget: () => {} },
    poolOf: () => pool,
    coordinator: pool,
    now: () => new Date(),
    maxBatch: 100,
    maxQueue: 1_000,
  }).groupCommit;
  client = new Client({ connectionString: database.dsn });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await pool.end();
  await database.drop();
});

let number = 0;

function received(event: Record<string, unknown>): ReceivedWebhook {
  number += 1;
  const filled = {
    target: 'order',
    userId: 'user_1',
    status: 'created',
    attemptReference: null,
    payment: null,
    introduces: true,
    fingerprint: null,
    meta: {},
    providerEventId: `evt_${number}`,
    amountMinor: 100n,
    currency: 'EUR',
    providerUpdatedAt: new Date(2026, 0, 1),
    ...event,
  } as unknown as ContractEvent;
  const body = JSON.stringify({ id: filled.providerEventId });
  const bodySha256 = createHash('sha256').update(body).digest('hex');
  return {
    provider: 'silvergate',
    event: filled,
    body,
    bodySha256,
    receivedAt: new Date(),
    requestId: 'test',
    isReleased: false,
  };
}

const dispute = {
  target: 'dispute',
  userId: null,
  attemptReference: null,
  funds: null,
  overrules: false,
  kind: 'webhook_opened',
  status: 'open',
  reason: 'fraud',
  evidenceDueAt: null,
  amountMinor: 50n,
};

/** The webhook that an item of Adyen becomes. */
function ofAdyen(item: Record<string, unknown>): ReceivedWebhook {
  const [event] = adyen.paths.adyen!({ notificationItems: [{ NotificationRequestItem: item }] });
  return { ...received(event as unknown as Record<string, unknown>), provider: 'adyen' };
}

async function verdictOf(webhook: ReceivedWebhook): Promise<string> {
  const result = await commit.add(webhook);
  if ('error' in result) throw result.error;
  return result.outcome.verdict;
}

test('an order is applied, repeated and updated under its user', async () => {
  const created = received({ orderId: 'ord_a' });
  expect(await verdictOf(created)).toBe('applied');
  expect(await verdictOf(created)).toBe('duplicate');
  const later = { status: 'success', introduces: false, providerUpdatedAt: new Date(2026, 0, 2) };
  expect(await verdictOf(received({ orderId: 'ord_a', ...later }))).toBe('applied');
  const { rows } = await client.query("select user_id, status, sequence from orders where order_id = 'ord_a'");
  expect(rows).toEqual([{ user_id: 'user_1', status: 'success', sequence: '2' }]);
});

test('of many who claim one order id at once, one user gets it', async () => {
  const claims = Array.from({ length: 20 }, (_, n) => received({ orderId: 'ord_b', userId: `user_${n}` }));
  const verdicts = await Promise.all(claims.map(verdictOf));
  expect(verdicts.filter((verdict) => verdict === 'applied')).toHaveLength(1);
  expect(verdicts.filter((verdict) => verdict === 'quarantined')).toHaveLength(19);
  expect((await client.query("select from orders where order_id = 'ord_b'")).rowCount).toBe(1);
});

test('an update before its order waits under its own user', async () => {
  const early = { status: 'success', introduces: false, providerUpdatedAt: new Date(2026, 0, 2) };
  expect(await verdictOf(received({ orderId: 'ord_c', ...early }))).toBe('parked');
  expect(await verdictOf(received({ orderId: 'ord_c' }))).toBe('applied');
  const { rows } = await client.query("select status, sequence from orders where order_id = 'ord_c'");
  expect(rows).toEqual([{ status: 'success', sequence: '2' }]);
});

test('a dispute that names no user waits for its order, has one effect, and takes its key along', async () => {
  const early = received({ ...dispute, orderId: 'ord_d', disputeId: 'dp_d' });
  expect(await verdictOf(early)).toBe('parked');
  const waiting = await client.query("select user_id from parked_webhooks where order_id = 'ord_d'");
  expect(waiting.rows).toEqual([{ user_id: '#ord_d' }]);
  expect(await verdictOf(early)).toBe('duplicate');
  expect(await verdictOf(received({ orderId: 'ord_d', userId: 'user_4' }))).toBe('applied');
  expect(await verdictOf(early)).toBe('duplicate');
  const { rows } = await client.query("select user_id, sequence from disputes where dispute_id = 'dp_d'");
  expect(rows).toEqual([{ user_id: 'user_4', sequence: '1' }]);
  expect((await client.query('select from parked_webhooks')).rowCount).toBe(0);
});

test('disputes that name no user and their orders, all at once: each has one effect and none is left waiting', async () => {
  const all = Array.from({ length: 40 }, (_, n) => [
    received({ ...dispute, orderId: `ord_e${n}`, disputeId: `dp_e${n}` }),
    received({ orderId: `ord_e${n}`, userId: `user_${n}` }),
  ]).flat();
  await Promise.all(all.map(verdictOf));
  const { rows } = await client.query("select sequence from disputes where dispute_id like 'dp_e%'");
  expect(rows).toEqual(Array.from({ length: 40 }, () => ({ sequence: '1' })));
  expect((await client.query('select from parked_webhooks')).rowCount).toBe(0);
  expect(await Promise.all(all.map(verdictOf))).toEqual(all.map(() => 'duplicate'));
});

test('what waits for the second attempt of an order has its effect once that attempt is named, though the order is known', async () => {
  const events = [
    modify('CAPTURE', 'C1', 'G1', { value: 300 }),
    authorise('A1', { value: 700 }),
    authorise('G1', { value: 300 }),
  ];
  const [early, ...named] = events.map(({ body }) => ofAdyen(body));
  expect(await verdictOf(early!)).toBe('parked');
  for (const one of named) expect(await verdictOf(one)).toBe('applied');
  const { rows } = await client.query("select authorised_minor, captured_minor from orders where order_id = 'ord_1'");
  expect(rows).toEqual([{ authorised_minor: '1000', captured_minor: '300' }]);
  expect((await client.query('select from parked_webhooks')).rowCount).toBe(0);
  expect(await verdictOf(early!)).toBe('duplicate');
});

test('what waits for an attempt is known when it is repeated, though its order has a user by then', async () => {
  const orderId = 'ord_2';
  const events = [
    modify('CAPTURE', 'C2', 'G2', { value: 300, merchantReference: orderId }),
    authorise('A2', { value: 700, merchantReference: orderId }),
    authorise('G2', { value: 300, merchantReference: orderId }),
  ];
  const [early, first, second] = events.map(({ body }) => ofAdyen(body));
  expect(await verdictOf(early!)).toBe('parked');
  expect(await verdictOf(first!)).toBe('applied');
  expect(await verdictOf(early!)).toBe('duplicate');
  expect(await verdictOf(second!)).toBe('applied');
  expect(await verdictOf(early!)).toBe('duplicate');
  const { rows } = await client.query('select captured_minor from orders where order_id = $1', [orderId]);
  expect(rows).toEqual([{ captured_minor: '300' }]);
});

test('a type that is not mapped is stored once', async () => {
  const unmapped = received({ target: 'none', type: 'balance.available' });
  expect([await verdictOf(unmapped), await verdictOf(unmapped)]).toEqual(['ignored', 'duplicate']);
});
