import { afterAll, beforeAll, expect, test } from 'vitest';
import { withClient } from '../kernel/postgres/with-client.ts';
import { type PostgresServer, startPostgres } from '../runtime/native/postgres.ts';
import { listProcesses } from '../runtime/native/processes.ts';
import { startReplica } from '../runtime/native/replica.ts';
import { createRunDirectory, type RunDirectory } from '../runtime/native/run-directory.ts';
import { attemptWrite, fence } from './fence.ts';
import { mostAdvanced, promote } from './promote.ts';
import { rebuildAsReplica } from './rebuild.ts';

let run: RunDirectory;
let old: PostgresServer;
let replicas: PostgresServer[];
beforeAll(async () => {
  run = await createRunDirectory();
  const settings = { wal_keep_size: '128MB', wal_retrieve_retry_interval: '100ms' };
  old = await startPostgres({ runDirectory: run.path, name: 'primary', settings });
  replicas = [];
  for (const name of ['replica_1', 'replica_2']) {
    replicas.push(await startReplica({ primary: old, runDirectory: run.path, name }));
  }
});
afterAll(() => run.close());

const rowsOn = (server: PostgresServer) =>
  withClient(server.dsn(), async (client) =>
    (await client.query('select id from written order by id')).rows.map((row) => row.id),
  );

test('an old primary that is not fenced takes writes when it comes back', async () => {
  old.kill('SIGKILL');
  await old.restart();
  expect(await attemptWrite(old.dsn())).toMatchObject({ accepted: true });
  await withClient(old.dsn(), (client) =>
    client.query('drop table written_after_fencing; create table written (id int)'),
  );
});

test('a frozen one is ended by fencing, and a return of it answers no client', async () => {
  await withClient(old.dsn(), (client) => client.query('insert into written values (1)'));
  for (const server of replicas) await expect.poll(() => rowsOn(server), { timeout: 20_000 }).toEqual([1]);
  old.kill('SIGSTOP');
  await fence(old);
  const left = (await listProcesses()).filter(({ command }) => command.includes(old.dataDirectory));
  expect(left).toEqual([]);

  // What was acknowledged may be on any one of them.
  await replicas[1]!.stop('fast');
  await expect(mostAdvanced(replicas, true)).rejects.toThrow(/^replica_2: no answer.* nothing was promoted/);
  expect(await mostAdvanced(replicas, false)).toBe(replicas[0]);
  await replicas[1]!.restart();

  const candidate = await mostAdvanced(replicas, true);
  const follower = replicas.find((server) => server !== candidate)!;
  await promote({ candidate, followers: [follower], synchronous: true, failoverSlots: false });
  await withClient(candidate.dsn(), (client) => client.query('insert into written values (2)'));

  await old.restart();
  expect(await attemptWrite(old.dsn())).toMatchObject({ accepted: false, code: '57P03' });
  await old.stop('fast');

  const { server: rebuilt, method } = await rebuildAsReplica(old, candidate);
  expect(method).toBe('copy');
  expect(rebuilt.port).toBe(old.port);
  await withClient(candidate.dsn(), (client) => client.query('insert into written values (3)'));
  for (const server of [follower, rebuilt])
    await expect.poll(() => rowsOn(server), { timeout: 20_000 }).toEqual([1, 2, 3]);
  expect(await attemptWrite(rebuilt.dsn())).toMatchObject({ accepted: false, code: '25006' });
}, 60_000);
