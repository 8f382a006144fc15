// Longer than 300 lines because every fault meets the engine on the same kind of server.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { type PostgresServer, startPostgres } from '../../runtime/native/postgres.ts';
import { throwawaySettings } from '../../runtime/native/postgres-settings.ts';
import { createRunDirectory, type RunDirectory } from '../../runtime/native/run-directory.ts';
import { type NativePipeline, openNativePipeline } from '../../test/cdc/native-pipeline.ts';
import { insertOutbox } from '../../test/cdc/outbox.ts';
import { type Store, startStore } from '../../test/cdc/store.ts';

let run: RunDirectory;
let server: PostgresServer;
let store: Store;
let pipeline: NativePipeline;

const poll = { timeout: 40_000, interval: 50 };

beforeAll(async () => {
  run = await createRunDirectory();
  server = await startPostgres({
    runDirectory: run.path,
    name: 'cdc',
    // Small limits, so that a slot can be lost within a test.
    settings: { ...throwawaySettings, max_slot_wal_keep_size: '32MB', min_wal_size: '32MB', max_wal_size: '64MB' },
  });
});
afterAll(() => run.close());

beforeEach(async () => {
  store = await startStore();
  pipeline = await openNativePipeline(server, 'partitioned', store.url);
});
afterEach(async () => {
  await pipeline.close();
  await store.close();
});

const write = (count: number, prefix: string, padding?: string) =>
  withClient(pipeline.dsn, (client) => insertOutbox(client, { count, prefix, ...(padding && { padding }) }));

const arrived = (count: number) =>
  expect.poll(() => store.events.size, { ...poll, message: pipeline.log() }).toBe(count);

async function query<T>(text: string, values: unknown[] = []): Promise<T[]> {
  return withClient(pipeline.dsn, async (client) => (await client.query(text, values)).rows as T[]);
}

/** WAL of a table that is in no publication. */
async function writeElsewhere(megabytes: number): Promise<void> {
  await query('create table if not exists elsewhere (filler text)');
  for (let done = 0; done < megabytes; done += 4) {
    await query(`insert into elsewhere select repeat('x', 1000) from generate_series(1, 4000)`);
  }
}

async function expectAlarm(reason: string): Promise<void> {
  const engine = pipeline.launch();
  await expect.poll(() => engine.exit(), { ...poll, message: engine.log() }).toEqual({ code: 4, signal: null });
  expect(engine.alarm()).toMatchObject({ alarm: reason, remedy: expect.stringContaining('CDC_ON_LOST_SLOT=reload') });
}

/** It streams, and the sink has ten events. */
async function streamTen(): Promise<void> {
  await pipeline.start();
  await write(10, 'a');
  await arrived(10);
}

/** Stops it, and waits until no process holds its slot. */
async function stopped(): Promise<void> {
  await pipeline.stop();
  await expect
    .poll(
      async () =>
        (await query('select from pg_replication_slots where slot_name = $1 and active', [pipeline.slotName])).length,
      poll,
    )
    .toBe(0);
}

test('the slot survives a failover where the server can do that, and belongs to the role lab_cdc', async () => {
  await pipeline.start();
  const rows = await query('select plugin, failover, temporary from pg_replication_slots where slot_name = $1', [
    pipeline.slotName,
  ]);
  expect(rows).toEqual([{ plugin: 'pgoutput', failover: true, temporary: false }]);
  const roles = await query<{ usename: string }>(
    `select distinct usename from pg_stat_activity where application_name like 'lab-cdc%' and datname = current_database()`,
  );
  expect(roles).toEqual([{ usename: 'lab_cdc' }]);
});

test('a slot that was dropped: it stops with an alarm and delivers nothing', async () => {
  await streamTen();
  await stopped();
  await query('select pg_drop_replication_slot($1)', [pipeline.slotName]);
  await write(10, 'b');
  await expectAlarm('slot_missing');
  expect(store.events.size).toBe(10);
});

test('a slot that was dropped and made again behind its back: alarm', async () => {
  await streamTen();
  await stopped();
  await query('select pg_drop_replication_slot($1)', [pipeline.slotName]);
  await write(10, 'b');
  await query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [pipeline.slotName]);
  await expectAlarm('slot_moved');
});

test('a slot that was advanced behind its back: alarm; with reload it begins anew and everything arrives', async () => {
  await streamTen();
  await stopped();
  await write(10, 'b');
  // This server commits asynchronously: until the WAL is written, its position is the slot's own and nothing would
  // move.
  await expect
    .poll(async () => {
      const [row] = await query<{ ahead: boolean }>(
        'select pg_current_wal_lsn() > confirmed_flush_lsn as ahead from pg_replication_slots where slot_name = $1',
        [pipeline.slotName],
      );
      return row?.ahead;
    }, poll)
    .toBe(true);
  await query('select pg_replication_slot_advance($1, pg_current_wal_lsn())', [pipeline.slotName]);
  await expectAlarm('slot_moved');
  expect(store.events.size).toBe(10);
  pipeline.launch({ onLostSlot: 'reload' });
  await arrived(20);
  await write(10, 'c');
  await arrived(30);
});

test('a slot whose WAL was given up: alarm', async () => {
  await streamTen();
  await stopped();
  await writeElsewhere(200);
  await query('checkpoint');
  await expect
    .poll(
      async () =>
        (
          await query<{ s: string }>('select wal_status as s from pg_replication_slots where slot_name = $1', [
            pipeline.slotName,
          ])
        )[0]?.s,
      poll,
    )
    .toBe('lost');
  await expectAlarm('slot_lost');
});

test('a slot that another process made, and a position that was removed: alarm', async () => {
  await query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [pipeline.slotName]);
  await expectAlarm('slot_unknown');
});

test('a position that is removed while it streams ends in an alarm and not in a silent gap', async () => {
  await streamTen();
  await query('delete from cdc_positions');
  await write(10, 'b');
  await expect.poll(() => pipeline.engine().alarm()?.alarm, poll).toBe('slot_unknown');
});

test('a position that a failover rolled back: who lives through it knows better and goes on', async () => {
  await streamTen();
  await query(`update cdc_positions set confirmed_lsn = confirmed_lsn - 1 where slot_name = $1`, [pipeline.slotName]);
  await query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'lab_cdc'`);
  await write(10, 'b');
  await arrived(20);
  expect(pipeline.engine().alarm()).toBeUndefined();
  // What it knew is written down again: one that is started later finds slot and position in harmony.
  await pipeline.kill();
  await pipeline.start();
  await write(10, 'c');
  await arrived(30);
});

test('a dropped publication: alarm instead of endless attempts', async () => {
  await pipeline.start();
  await pipeline.stop();
  await query('drop publication lab_outbox');
  await expectAlarm('publication_missing');
});

test.each([
  ['drop table outbox', 'add table outbox'],
  ["set (publish = 'update')", "set (publish = 'insert')"],
  ['set (publish_via_partition_root = false)', 'set (publish_via_partition_root = true)'],
])(
  'a publication that is changed while it streams (%s): alarm, and its remedy brings all back',
  async (change, back) => {
    await streamTen();
    await query(`alter publication lab_outbox ${change}`);
    await write(10, 'b');
    await expect.poll(() => pipeline.engine().alarm(), poll).toMatchObject({ alarm: 'publication_missing' });
    await expect.poll(() => pipeline.engine().exit(), poll).toBeDefined();
    await query(`alter publication lab_outbox ${back}`);
    await query('select pg_drop_replication_slot($1)', [pipeline.slotName]);
    pipeline.launch({ onLostSlot: 'reload' });
    await arrived(20);
  },
);

test('an idle outbox does not hold the WAL of others', async () => {
  await streamTen();
  await writeElsewhere(16);
  const [{ lsn }] = (await query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn')) as [{ lsn: string }];
  await expect
    .poll(async () => {
      const [row] = await query<{ behind: number }>(
        `select greatest(0, $2::pg_lsn - confirmed_flush_lsn)::int as behind from pg_replication_slots where slot_name = $1`,
        [pipeline.slotName, lsn],
      );
      return row!.behind;
    }, poll)
    .toBeLessThan(2 * 65_536);
  // The position went along: a restart must not take the slot's progress for another process's work.
  await pipeline.stop();
  await pipeline.start();
  await write(10, 'b');
  await arrived(20);
});

test('the slot is confirmed only after the sink has the batch', async () => {
  await streamTen();
  const position = 'select confirmed_flush_lsn::text as lsn from pg_replication_slots where slot_name = $1';
  store.mode = 'hang';
  const { requests } = store;
  await write(10, 'b');
  await expect.poll(() => store.requests, poll).toBeGreaterThan(requests);
  const [held] = await query<{ lsn: string }>(position, [pipeline.slotName]);
  await writeElsewhere(4);
  // Several of its heartbeats, which must not confirm what the sink does not have.
  const [{ at }] = (await query<{ at: Date }>('select now() as at')) as [{ at: Date }];
  await expect
    .poll(async () => {
      const [row] = await query<{ t: Date }>(
        `select reply_time as t from pg_stat_replication where application_name = 'lab-cdc-stream'
         and pid = (select active_pid from pg_replication_slots where slot_name = $1)`,
        [pipeline.slotName],
      );
      return row!.t.getTime() - at.getTime();
    }, poll)
    .toBeGreaterThan(600);
  expect(await query(position, [pipeline.slotName])).toEqual([held]);
});

test('a second process stands by and takes over when the first one is killed', async () => {
  await pipeline.start();
  const first = pipeline.engine();
  const second = pipeline.launch();
  await write(100, 'a');
  await arrived(100);
  await expect.poll(async () => (await second.status()).status.state, poll).toBe('waiting');
  await first.kill();
  await write(100, 'b');
  await arrived(200);
  expect((await second.status()).status.state).toBe('streaming');
});

test('Postgres is killed under load: it goes on by itself and loses nothing', async () => {
  await pipeline.start();
  await write(2_000, 'a');
  server.kill('SIGKILL');
  await expect.poll(async () => (await pipeline.engine().status()).status.state, poll).toBe('waiting');
  await server.restart();
  await write(2_000, 'b');
  const [{ count }] = (await query<{ count: number }>('select count(*)::int as count from outbox')) as [
    { count: number },
  ];
  expect(count).toBeGreaterThanOrEqual(2_000);
  await arrived(count);
  expect(pipeline.engine().alarm()).toBeUndefined();
});

test('frozen connections: it gives them up, waits its turn, and goes on when they thaw', async () => {
  await pipeline.start({ queryTimeoutMs: 2_000 });
  await write(100, 'a');
  await arrived(100);
  const connections = () =>
    query<{ pid: number }>(
      `select pid from pg_stat_activity where application_name like 'lab-cdc%' and usename = 'lab_cdc'`,
    );
  await expect.poll(async () => (await connections()).length, poll).toBe(2);
  const backends = await connections();
  for (const { pid } of backends) process.kill(pid, 'SIGSTOP');
  try {
    await expect.poll(async () => (await pipeline.engine().status()).status.state, poll).toBe('waiting');
  } finally {
    for (const { pid } of backends) process.kill(pid, 'SIGCONT');
  }
  await write(100, 'b');
  await arrived(200);
}, 90_000);

test('a killed initial load goes on where it stopped', async () => {
  await write(30_000, 'a');
  store.mode = 'slow';
  await pipeline.start();
  await expect.poll(() => store.events.size, { ...poll, interval: 10 }).toBeGreaterThan(5_000);
  await pipeline.kill();
  const [position] = await query<{ state: string; load_after: string | null }>('select * from cdc_positions');
  expect(position).toMatchObject({ state: 'loading', load_after: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  store.mode = 'take';
  await write(100, 'b');
  await pipeline.start();
  await arrived(30_100);
  const repeated = [...store.events.values()].filter((event) => event.deliveries > 1).length;
  expect(repeated, 'it did not begin anew').toBeLessThan(15_000);
});

test('an initial load before a sink that does not answer can be stopped in good order', async () => {
  await write(12_000, 'a');
  store.mode = 'hang';
  await pipeline.start();
  await expect.poll(() => store.requests, poll).toBeGreaterThan(0);
  await pipeline.stop();
  store.mode = 'take';
  await pipeline.start();
  await arrived(12_000);
});
