import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, startPostgres } from '../../runtime/native/postgres.ts';
import { startReplica } from '../../runtime/native/replica.ts';
import { createRunDirectory, type RunDirectory } from '../../runtime/native/run-directory.ts';
import { isStoreUnavailable } from './errors.ts';
import { joinHosts } from './hosts.ts';
import { createPool } from './pool.ts';
import { withClient } from './with-client.ts';

let run: RunDirectory;
let primary: PostgresServer;
let replica: PostgresServer;
beforeAll(async () => {
  run = await createRunDirectory();
  primary = await startPostgres({ runDirectory: run.path, name: 'primary' });
  replica = await startReplica({ primary, runDirectory: run.path, name: 'replica_1' });
});
afterAll(() => run.close());

test('a pool follows the primary through a promotion, and does not go back to the old one', async () => {
  const pool = createPool({
    // The replica comes first: being reachable is not enough.
    dsn: joinHosts([replica.dsn(), primary.dsn()]),
    applicationName: 'test',
    logger: pino({ level: 'silent' }),
    max: 2,
  });
  const port = async () => (await pool.query<{ port: number }>('select inet_server_port() as port')).rows[0]!.port;
  try {
    expect(await port()).toBe(primary.port);
    primary.kill('SIGKILL');
    await expect.poll(() => port().then(() => false, isStoreUnavailable), { timeout: 10_000 }).toBe(true);
    await withClient(replica.dsn(), (client) => client.query('select pg_promote()'));
    await expect.poll(() => port().catch(() => 'away'), { timeout: 10_000 }).toBe(replica.port);
    // Unfenced, the old primary would take writes again.
    await primary.restart();
    await replica.stop('immediate');
    await expect
      .poll(
        () =>
          port().then(
            () => 'answered',
            (error) => error.code,
          ),
        { timeout: 10_000 },
      )
      .toBe('08001');
    await replica.restart();
    await expect.poll(() => port().catch(() => 'away'), { timeout: 10_000 }).toBe(replica.port);
  } finally {
    await pool.end();
  }
}, 60_000);

test('a write seen on a newer timeline ends the connections to a primary that was frozen meanwhile', async () => {
  const old = await startPostgres({ runDirectory: run.path, name: 'old' });
  const next = await startReplica({ primary: old, runDirectory: run.path, name: 'next' });
  const pool = createPool({
    dsn: joinHosts([old.dsn(), next.dsn()]),
    applicationName: 'test',
    logger: pino({ level: 'silent' }),
    max: 1,
  });
  const port = async () => (await pool.query<{ port: number }>('select inet_server_port() as port')).rows[0]!.port;
  try {
    expect(await port()).toBe(old.port);
    // Its main process alone: the session answers as it will when all of it goes on.
    old.kill('SIGSTOP');
    await withClient(next.dsn(), (client) => client.query('select pg_promote()'));
    expect(await port(), 'nothing has told the pool').toBe(old.port);
    await pool.follow(2);
    await expect.poll(() => port().catch(() => 'away'), { timeout: 10_000 }).toBe(next.port);
    await pool.follow(99);
    expect(pool.totalCount, 'a claim that no server confirms ends nothing').toBe(1);
    expect(await port()).toBe(next.port);
  } finally {
    old.kill('SIGCONT');
    await pool.end();
  }
}, 60_000);
