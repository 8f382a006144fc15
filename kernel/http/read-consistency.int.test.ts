import { pino } from 'pino';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type PostgresServer, startPostgres } from '../../runtime/native/postgres.ts';
import { startReplica } from '../../runtime/native/replica.ts';
import { createRunDirectory, type RunDirectory } from '../../runtime/native/run-directory.ts';
import { migrate } from '../../sql/migrate.ts';
import { type RunningApi, startApi } from '../../test/api/running-api.ts';
import { createSeed } from '../../test/api/seed.ts';
import { asRole } from '../../test/postgres/database.ts';
import { createPool } from '../postgres/pool.ts';

let run: RunDirectory;
let replica: PostgresServer;
let api: RunningApi;

beforeAll(async () => {
  run = await createRunDirectory();
  const primary = await startPostgres({ runDirectory: run.path, name: 'primary' });
  await migrate({ dsn: primary.dsn(), topology: 'replicated' });
  replica = await startReplica({ primary, runDirectory: run.path, name: 'replica_1' });
  // The replica's own role: what it may not read would show here.
  const pool = createPool({
    dsn: asRole(replica.dsn(), 'lab_reader'),
    applicationName: 'api-test',
    logger: pino({ level: 'silent' }),
  });
  api = await startApi({ topology: 'replicated', dsn: primary.dsn(), replicas: [{ name: 'replica-1', pool }] });
  const seed = createSeed(api.webhookPool, 'replicated');
  await seed.order({ orderId: 'ord_1' });
  await seed.dispute({ disputeId: 'dp_1', orderId: 'ord_1' });
  await replayed();
});

afterAll(async () => {
  await api.close();
  await run.close();
});

/** Waits until the replica has everything that was written so far, and the router knows it. */
async function replayed(): Promise<void> {
  const [row] = await api.query('select pg_current_wal_flush_lsn()::text as lsn');
  const caughtUp = async () =>
    (await api.query('select bool_and(replay_lsn >= $1::pg_lsn) as done from pg_stat_replication', [row!.lsn]))[0]!
      .done;
  await vi.waitFor(async () => expect(await caughtUp()).toBe(true), 5_000);
  await api.reads.refresh();
}

const read = (path: string, headers: Record<string, string> = {}) => api.call('GET', `/api/v1${path}`, { headers });
const reasonOf = async (headers: Record<string, string>) =>
  (await read('/orders/ord_1', headers)).headers.get('x-read-reason');
const nodeOf = async (headers: Record<string, string>) =>
  (await read('/orders/ord_1', headers)).headers.get('x-read-node');

test('reads go to the replica, unless the caller asks for the primary', async () => {
  expect(await nodeOf({})).toBe('replica-1');
  expect(await nodeOf({ 'X-Read-Consistency': 'session' })).toBe('replica-1');
  expect(await nodeOf({ 'X-Read-Consistency': 'replica' })).toBe('replica-1');
  expect(await nodeOf({ 'X-Read-Consistency': 'primary' })).toBe('primary');
});

test.each(['', 'eventual', 'PRIMARY', 'primary, replica'])('X-Read-Consistency "%s" is refused', async (value) => {
  const { status, body } = await read('/orders/ord_1', { 'X-Read-Consistency': value });
  expect({ status, code: body.error.code }).toEqual({ status: 400, code: 'invalid_request' });
});

test.each(['garbage', 'v1.', 'v1.ff', 'v2.10', `v2.1.${'f'.repeat(17)}`, '0'])(
  'the token "%s" is answered from the primary',
  async (token) => {
    expect(await nodeOf({ 'X-Consistency-Token': token })).toBe('primary');
    expect(await reasonOf({ 'X-Consistency-Token': token })).toBe('unreadable_token');
  },
);

test('every answer of a read says why its node was chosen', async () => {
  expect(await reasonOf({})).toBe('within_floor');
  expect(await reasonOf({ 'X-Read-Consistency': 'primary' })).toBe('asked');
  expect(await reasonOf({ 'X-Consistency-Token': 'v2.1.ffffffffffffffff' })).toBe('replica_behind');
});

test('a token from the future is answered from the primary', async () => {
  expect(await nodeOf({ 'X-Consistency-Token': 'v2.1.ffffffffffffffff' })).toBe('primary');
});

test.each([
  '/orders',
  '/orders/ord_1',
  '/orders/ord_1/events',
  '/disputes',
  '/disputes/dp_1',
  '/disputes/dp_1/evidence',
])('GET %s is answered by the replica with its own rights', async (path) => {
  const { status, headers } = await read(path);
  expect({ status, node: headers.get('x-read-node') }).toEqual({ status: 200, node: 'replica-1' });
});

test.each(['/events', '/events/export'])('GET %s is answered by the replica, too', async (path) => {
  const { status, headers } = await read(path);
  expect({ status, node: headers.get('x-read-node') }).toEqual({ status: 200, node: 'replica-1' });
});

test('a read with the token of a write never misses it, also while replay is paused', async () => {
  const replicaQuery = createPool({ dsn: replica.dsn(), applicationName: 'test', logger: pino({ level: 'silent' }) });
  const write = async (action: 'set' | 'clear') => {
    const body = action === 'set' ? { action, reason: 'risk' } : { action };
    return (await api.call('POST', '/api/v1/orders/ord_1/hold', { body })).headers.get('x-consistency-token')!;
  };
  const seen = async (headers: Record<string, string>) => {
    const { body, headers: answered } = await read('/orders/ord_1', headers);
    return { on_hold: body.data.on_hold, node: answered.get('x-read-node') };
  };
  try {
    for (let i = 0; i < 20; i++) {
      const token = await write(i % 2 ? 'clear' : 'set');
      expect((await seen({ 'X-Consistency-Token': token })).on_hold).toBe(i % 2 === 0);
    }
    await replayed();
    await replicaQuery.query('select pg_wal_replay_pause()');
    const token = await write('set');
    expect(await seen({ 'X-Consistency-Token': token })).toEqual({ on_hold: true, node: 'primary' });
    expect(await seen({ 'X-Read-Consistency': 'replica' })).toEqual({ on_hold: false, node: 'replica-1' });
    await replicaQuery.query('select pg_wal_replay_resume()');
    await replayed();
    expect(await seen({ 'X-Consistency-Token': token })).toEqual({ on_hold: true, node: 'replica-1' });
  } finally {
    await replicaQuery.query('select pg_wal_replay_resume()');
    await replicaQuery.end();
  }
});

test('when the replica is gone, reads fall back to the primary at once', async () => {
  await replica.stop('immediate');
  const { status, headers } = await read('/orders/ord_1');
  const [node, reason] = [headers.get('x-read-node'), headers.get('x-read-reason')];
  expect({ status, node, reason }).toEqual({ status: 200, node: 'primary', reason: 'replica_failed' });
  expect((await read('/events/export')).status).toBe(200);
  await api.reads.refresh();
  expect(await nodeOf({ 'X-Read-Consistency': 'replica' })).toBe('primary');
});

test('a replica that is gone gets no reads, and is taken back when it has caught up', async () => {
  await replica.stop('fast');
  await api.reads.refresh();
  expect(await nodeOf({})).toBe('primary');
  expect(api.reads.status()).toMatchObject([{ name: 'replica-1', healthy: false }]);
  const written = await api.call('POST', '/api/v1/orders/ord_1/hold', { body: { action: 'clear' } });
  const token = written.headers.get('x-consistency-token')!;
  await api.reads.refresh();
  expect(api.reads.status()[0]!.lag_bytes).toBeGreaterThan(0);
  await replica.restart();
  await replayed();
  await vi.waitFor(async () => {
    await api.reads.refresh();
    expect(await nodeOf({ 'X-Consistency-Token': token })).toBe('replica-1');
  }, 5_000);
  expect(api.reads.status()).toEqual([{ name: 'replica-1', healthy: true, lag_bytes: 0, lag_seconds: 0 }]);
});
