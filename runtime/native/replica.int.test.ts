import { afterAll, beforeAll, expect, test } from 'vitest';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { setSynchronousReplicas, startReplica } from './replica.ts';
import { createRunDirectory, type RunDirectory } from './run-directory.ts';

let run: RunDirectory;
let primary: PostgresServer;
let replicas: PostgresServer[];
beforeAll(async () => {
  run = await createRunDirectory();
  primary = await startPostgres({ runDirectory: run.path, name: 'primary' });
  await withClient(primary.dsn(), (client) => client.query('create table seen (id int primary key)'));
  replicas = [];
  for (const name of ['replica_1', 'replica_2']) {
    replicas.push(await startReplica({ primary, runDirectory: run.path, name }));
  }
});
afterAll(() => run.close());

const idsOn = (server: PostgresServer) =>
  withClient(server.dsn(), async (client) =>
    (await client.query('select id from seen order by id')).rows.map(({ id }) => id),
  );

test('rows written on the primary appear on every replica', async () => {
  await withClient(primary.dsn(), (client) => client.query('insert into seen values (1)'));
  for (const replica of replicas) await expect.poll(() => idsOn(replica), { timeout: 5_000 }).toEqual([1]);
});

test('a replica refuses writes', async () => {
  const write = withClient(replicas[0]!.dsn(), (client) => client.query('insert into seen values (2)'));
  await expect(write).rejects.toThrow('read-only transaction');
});

test('each replica has a slot of its own and a role that can only stream', async () => {
  const { slots, roles } = await withClient(primary.dsn(), async (client) => ({
    slots: (await client.query('select slot_name, active from pg_replication_slots order by 1')).rows,
    roles: (
      await client.query(
        "select rolname, rolreplication, rolsuper from pg_roles where rolname like 'lab_replica%' order by 1",
      )
    ).rows,
  }));
  expect(slots).toEqual([
    { slot_name: 'replica_1', active: true },
    { slot_name: 'replica_2', active: true },
  ]);
  expect(roles).toEqual([
    { rolname: 'lab_replica_1', rolreplication: true, rolsuper: false },
    { rolname: 'lab_replica_2', rolreplication: true, rolsuper: false },
  ]);
});

test('a synchronous commit waits while no replica answers', async () => {
  await setSynchronousReplicas(primary, ['replica_1', 'replica_2']);
  for (const replica of replicas) {
    await replica.stop('immediate');
  }
  await withClient(primary.dsn(), async (client) => {
    await client.query("set statement_timeout = '10s'");
    const insert = client.query('insert into seen values (3)').then(() => 'committed');
    const waiting = () =>
      withClient(primary.dsn(), async (observer) => {
        const { rows } = await observer.query(
          "select wait_event from pg_stat_activity where query like 'insert into seen%'",
        );
        return rows[0]?.wait_event;
      });
    await expect.poll(waiting, { timeout: 5_000 }).toBe('SyncRep');
    await replicas[0]!.restart();
    expect(await insert).toBe('committed');
  });
});
