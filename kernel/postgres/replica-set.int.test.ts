import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, startPostgres } from '../../runtime/native/postgres.ts';
import { startReplica } from '../../runtime/native/replica.ts';
import { createRunDirectory, type RunDirectory } from '../../runtime/native/run-directory.ts';
import { migrate } from '../../sql/migrate.ts';
import { createMetrics } from '../metrics.ts';
import { createPool } from './pool.ts';
import { createReadRouter, type ReadRouter } from './read-router.ts';
import { withClient } from './with-client.ts';

const logger = pino({ level: 'silent' });
const metrics = createMetrics({ service: 'test', topology: 'replicated' });
const maxLagBytes = 1_000_000;
const maxLagMs = 300;

let run: RunDirectory;
let primary: PostgresServer;
let replica: PostgresServer;
let pools: Pool[];
let router: ReadRouter;

beforeAll(async () => {
  run = await createRunDirectory();
  primary = await startPostgres({ runDirectory: run.path, name: 'primary' });
  await migrate({ dsn: primary.dsn(), topology: 'plain' });
  await withClient(primary.dsn(), (client) => client.query('create table written (filler text)'));
  replica = await startReplica({ primary, runDirectory: run.path, name: 'replica_1' });
  pools = [primary, replica, primary].map((server) =>
    createPool({ dsn: server.dsn(), applicationName: 'test', logger, max: 2, acquireTimeoutMs: 1_000 }),
  );
  router = createReadRouter({
    primary: pools[0]!,
    // The primary is listed too, as it is where any of the servers may be promoted.
    replicas: [
      { name: 'replica-1', pool: pools[1]! },
      { name: 'replica-2', pool: pools[2]! },
    ],
    maxLagBytes,
    maxLagMs,
    pollMs: 20,
    metrics,
    logger,
  });
});
afterAll(async () => {
  router?.stop();
  await Promise.all((pools ?? []).map((pool) => pool.end()));
  await run.close();
});

const onReplica = (text: string) => withClient(replica.dsn(), (client) => client.query(text));
const write = (bytes: number) =>
  withClient(primary.dsn(), (client) =>
    client.query(
      `insert into written select repeat(md5(random()::text), 32)
    from generate_series(1, $1)`,
      [Math.ceil(bytes / 1_024)],
    ),
  );
const nodeOfRead = async () => (await router.choose({ consistency: 'session', token: undefined })).node;
const state = () => router.status()[0]!;
async function exported(name: string, node = 'replica-1'): Promise<number | undefined> {
  const text = await metrics.registry.metrics();
  const value = new RegExp(`^${name}\\{replica="${node}"[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1];
  return value === undefined ? undefined : Number(value);
}
const eventually = (read: () => unknown) => expect.poll(read, { timeout: 15_000, interval: 20 });

test('a replica that keeps up gets the reads, and its lag is exported', async () => {
  await eventually(nodeOfRead).toBe('replica-1');
  await eventually(() => exported('replica_healthy')).toBe(1);
  await eventually(() => exported('replica_lag_bytes')).toBe(0);
});

test('a listed server that takes writes gets no reads and has no series to raise an alarm', async () => {
  expect(router.status()[1]).toMatchObject({ name: 'replica-2', healthy: false });
  expect(await exported('replica_healthy', 'replica-2')).toBeUndefined();
  expect(await exported('replica_lag_bytes', 'replica-2')).toBeUndefined();
});

test('one that replays nothing is ejected by its age, then by its bytes, and comes back', async () => {
  await onReplica('select pg_wal_replay_pause()');
  await write(1_024);
  await eventually(state).toMatchObject({ healthy: false });
  expect(state().lag_seconds).toBeGreaterThan(maxLagMs / 1_000);
  expect(state().lag_bytes, 'the bytes alone would not have ejected it').toBeLessThan(maxLagBytes);
  expect(await nodeOfRead()).toBe('primary');
  await write(2 * maxLagBytes);
  await eventually(() => exported('replica_lag_bytes')).toBeGreaterThan(maxLagBytes);
  expect(await exported('replica_healthy')).toBe(0);
  expect(await exported('replica_lag_seconds')).toBeGreaterThan(maxLagMs / 1_000);
  await onReplica('select pg_wal_replay_resume()');
  await eventually(nodeOfRead).toBe('replica-1');
  await eventually(() => exported('replica_lag_bytes')).toBe(0);
});

test.each(['SIGKILL', 'SIGSTOP'] as const)(
  'one that went away by %s is ejected, its lag grows, and it comes back',
  async (fault) => {
    replica.kill(fault);
    // Frozen, the main process alone stands still: what it has started goes on answering on open connections.
    if (fault === 'SIGSTOP') await pools[1]!.query('select pg_terminate_backend(pg_backend_pid())').catch(() => {});
    await write(1_024);
    await eventually(state).toMatchObject({ healthy: false });
    expect(await nodeOfRead()).toBe('primary');
    const before = state().lag_seconds;
    await eventually(() => state().lag_seconds > before && state().lag_bytes > 0).toBe(true);
    if (fault === 'SIGSTOP') replica.kill('SIGCONT');
    else await replica.restart();
    await eventually(nodeOfRead).toBe('replica-1');
    expect(await exported('replica_healthy')).toBe(1);
  },
);
