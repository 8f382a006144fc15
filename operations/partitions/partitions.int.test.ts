// Longer than 300 lines because what becomes of one partition is followed from test to test.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { auditRun } from '../../audit/audit.ts';
import { waitUntil } from '../../kernel/wait.ts';
import { createDatabase, type TestDatabase } from '../../test/postgres/database.ts';
import { applyLoad } from '../../test/webhooks/apply-load.ts';
import { archivePartition } from './archive.ts';
import { attachPartition } from './attach.ts';
import { listPartitions } from './list.ts';
import { maintain } from './maintain.ts';
import { readManifest } from './parquet.ts';
import { queryArchives } from './query.ts';
import { rescueDefaultRows } from './rescue.ts';

let database: TestDatabase;
let client: Client;
let directory: string;
beforeEach(async () => {
  database = await createDatabase('partitioned');
  client = new Client({ connectionString: database.dsn });
  await client.connect();
  await client.query("set timezone = 'UTC'");
  directory = await mkdtemp(path.join(tmpdir(), 'lab-archive-'));
});
afterEach(async () => {
  await client.end();
  await database.drop();
  await rm(directory, { recursive: true });
});

async function rows(query: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  return (await client.query(query, values)).rows;
}

const content = (table: string) =>
  rows(`select count(*)::int as count, sum(hashtextextended(t::text, 0)::numeric)::text as hash from ${table} t`);

/** Values of which each is lost or changed by some careless way through a file. */
async function addEvents(day: string, count: number): Promise<void> {
  await client.query(
    `insert into order_events (event_id, order_id, user_id, sequence, kind, provider, provider_event_id, data, created_at)
     select gen_random_uuid(), 'ord_' || n, e'ü\\u00a0"quoted"\\n\\t😀,\\\\', 9007199254740993 + n, 'hold_set',
            case when n % 3 = 0 then null else 'silvergate' end, case when n % 3 = 0 then '' else 'NULL' end,
            jsonb_build_object('amount', 12345678901234567890.123456789, 'n', n, 'list', '[null, "null", true]'::jsonb),
            $1::date + n * interval '1 second' + interval '123457 microseconds'
     from generate_series(1, $2::int) n`,
    [day, count],
  );
}

async function dayBefore(days: number): Promise<{ day: string; partition: string }> {
  const [row] = await rows("select to_char((now() at time zone 'UTC')::date - $1::int, 'YYYY-MM-DD') as day", [days]);
  const day = String(row?.day);
  return { day, partition: `order_events_p${day.replaceAll('-', '')}` };
}

const quiet = { maxLockMs: 1_000, progress: () => {} };
const archive = (partition: string, given: Partial<Parameters<typeof archivePartition>[1]> = {}) =>
  archivePartition(client, { ...quiet, partition, directory, keep: false, now: () => new Date(), ...given });
const attach = (source: string, force = false) =>
  attachPartition(client, { ...quiet, source, force, now: () => new Date() });

describe('partitions', () => {
  test('are listed with bounds, rows and size; rows without a partition are an alarm', async () => {
    const { day, partition } = await dayBefore(1);
    await addEvents(day, 10);
    await client.query('analyze order_events');
    const before = await listPartitions(client);
    const found = before.partitions.find((entry) => entry.partition === partition);
    expect(found).toMatchObject({
      table: 'order_events',
      attached: true,
      isDefault: false,
      expired: false,
      rowsEstimate: 10,
    });
    expect(found?.from?.toISOString()).toBe(`${day}T00:00:00.000Z`);
    expect(Number(found?.to) - Number(found?.from)).toBe(86_400_000);
    expect(found?.bytes).toBeGreaterThan(8_192);
    expect(before.defaultRows.every((entry) => entry.rows === 0)).toBe(true);
    await addEvents('2020-02-29', 3);
    expect((await listPartitions(client)).defaultRows).toContainEqual({ table: 'order_events', rows: 3 });
  });

  test('maintenance makes what is missing and drops what expired', async () => {
    const { partition } = await dayBefore(-3);
    await client.query(`drop table ${partition}`);
    await client.query("select ensure_partitions('outbox', current_date - 20, current_date - 19)");
    const sums = new Map((await maintain(client)).map((entry) => [entry.table, entry]));
    expect(sums.get('order_events')?.created).toBe(1);
    expect(sums.get('outbox')?.dropped).toBe(2);
  });
});

describe('rescue', () => {
  test('moves rows into partitions of their own while others come, none lost and none twice', async () => {
    const load = applyLoad({ dsn: database.dsn, dedupe: 'key_table', seed: 4 });
    await load.apply(200);
    await addEvents('2020-02-29', 3_000);
    await addEvents('2020-03-02', 500);
    // Today's partition is gone, so everything that arrives lands in the default one, before and during the rescue.
    const today = (await dayBefore(0)).partition;
    await client.query(`alter table order_events detach partition ${today}`);
    await client.query(`insert into order_events select * from ${today}`);
    await client.query(`drop table ${today}`);
    load.start();
    const reader = new Client({ connectionString: database.dsn });
    await reader.connect();
    const old = new Client({ connectionString: database.dsn });
    await old.connect();
    await old.query('begin isolation level repeatable read; select 1');
    const counts: number[] = [];
    let reading = true;
    const watch = (async () => {
      while (reading) {
        const seen = await reader.query(
          "select count(*)::int as count from order_events where created_at < '2021-01-01'",
        );
        counts.push(seen.rows[0].count);
      }
    })();
    try {
      const goal = load.acknowledged + 200;
      await waitUntil(() => load.acknowledged > goal, { timeoutMs: 15_000, intervalMs: 5 });
      const rescued = await rescueDefaultRows(client, quiet);
      const after = load.acknowledged + 200;
      await waitUntil(() => load.acknowledged > after, { timeoutMs: 15_000, intervalMs: 5 });
      // A snapshot from before sees the rows where they were.
      expect(
        (await old.query("select count(*)::int as count from order_events where created_at < '2021-01-01'")).rows,
      ).toEqual([{ count: 3_500 }]);
      expect(rescued.map(({ table }) => table)).toEqual(['order_events']);
      expect(rescued[0]?.partitions).toEqual(['order_events_p20200229', 'order_events_p20200302', today]);
      expect(rescued[0]?.rows).toBeGreaterThan(3_700);
      for (const lock of rescued[0]!.locks) expect(lock.waitedMs + lock.heldMs).toBeLessThan(1_000);
    } finally {
      reading = false;
      await watch;
      await reader.end();
      await old.end();
      await load.stop();
      await load.end();
    }
    expect(new Set(counts)).toEqual(new Set([3_500]));
    expect(load.errors).toEqual([]);
    expect((await listPartitions(client)).defaultRows.every((entry) => entry.rows === 0)).toBe(true);
    await client.query('drop table order_events_p20200229, order_events_p20200302');
    const { invariants } = await auditRun({ dsn: database.dsn, topology: 'partitioned' });
    expect(invariants.filter(({ ok }) => !ok)).toEqual([]);
    expect(await rescueDefaultRows(client, quiet)).toEqual([]);
  });
});

describe('rescue beside rows whose time no partition can have', () => {
  const oddTimes = ['-infinity', '0044-03-15 12:00:00+00 BC', '12026-01-01 00:00:00+00', 'infinity'];

  async function addOddEvents(): Promise<void> {
    await addEvents('2021-01-01', oddTimes.length);
    for (const [at, time] of oddTimes.entries()) {
      await client.query(`update order_events set created_at = $1, order_id = $2 where order_id = $3`, [
        time,
        `odd_${at}`,
        `ord_${at + 1}`,
      ]);
    }
  }

  const odd = async () =>
    (await rows('select created_at::text as time from order_events_default order by created_at')).map(
      ({ time }) => time,
    );

  test('names them and moves the others, also those that come meanwhile', async () => {
    await addOddEvents();
    await addEvents('2020-02-29', 100);
    const lines: string[] = [];
    const [rescued] = await rescueDefaultRows(client, { ...quiet, progress: (line) => lines.push(line) });
    expect(rescued).toMatchObject({ rows: 100, partitions: ['order_events_p20200229'], left: { count: 4 } });
    expect(rescued?.left.rows.map(({ time }) => time)).toEqual(oddTimes);
    expect(
      lines.filter((line) => /^order_events: the row \{.*"event_id".*\} stays, .* time infinity$/.test(line)),
    ).toHaveLength(1);
    expect(await odd()).toEqual(oddTimes);
    // Nothing else is there: nothing is moved, and they are named again.
    expect(await rescueDefaultRows(client, quiet)).toMatchObject([{ rows: 0, partitions: [], left: { count: 4 } }]);
    expect(await odd()).toEqual(oddTimes);
  });

  test('leaves them where so many others are moved that the default partition is truncated', async () => {
    await addOddEvents();
    await addEvents('2020-02-29', 51_000);
    const [rescued] = await rescueDefaultRows(client, quiet);
    expect(rescued).toMatchObject({ rows: 51_000, left: { count: 4 } });
    expect(await odd()).toEqual(oddTimes);
  });
});

describe('rescue of many rows', () => {
  test('what changes meanwhile is changed, and the lock stays short', async () => {
    await addEvents('2020-02-29', 60_000);
    await client.query("delete from order_events where created_at > '2020-03-02'");
    const other = new Client({ connectionString: database.dsn });
    await other.connect();
    const changes: Promise<unknown>[] = [];
    const rescued = await rescueDefaultRows(client, {
      ...quiet,
      maxLockMs: 500,
      progress: () => {
        changes.push(
          other.query(
            `update order_events set user_id = 'changed' where sequence % 100 = 0;
             update order_events set created_at = created_at + interval '5 days' where sequence % 1000 = 1;
             delete from order_events where sequence % 1000 = 2`,
          ),
        );
      },
    });
    await Promise.all(changes);
    await other.end();
    expect(changes).toHaveLength(1);
    expect(rescued[0]?.rows).toBeGreaterThan(50_000);
    for (const lock of rescued[0]!.locks) expect(lock.waitedMs + lock.heldMs).toBeLessThanOrEqual(500);
    expect((await listPartitions(client)).defaultRows.every((entry) => entry.rows === 0)).toBe(true);
    const [left] = await rows(
      `select count(*)::int as rows, count(distinct event_id)::int as events, count(*) filter (where user_id = 'changed')::int as changed,
              count(*) filter (where sequence % 1000 = 2)::int as deleted from order_events`,
    );
    expect(left).toEqual({ rows: rescued[0]?.rows, events: rescued[0]?.rows, changed: 600, deleted: 0 });
  });

  test('many days take too long for a short lock: it is given up in the middle, nothing is moved, and the message says so', async () => {
    const days = 120;
    for (let day = 0; day < days; day += 1) {
      await addEvents(new Date(Date.UTC(2020, 0, 1 + day)).toISOString().slice(0, 10), 1);
    }
    const before = await content('order_events');
    const refused = rescueDefaultRows(client, { ...quiet, maxLockMs: 50, lockAttempts: 1 });
    await expect(refused).rejects.toThrow(/^rescue order_events: it takes longer than the 30 ms .* Allow more$/);
    expect(await content('order_events')).toEqual(before);
    const [rescued] = await rescueDefaultRows(client, { ...quiet, maxLockMs: 30_000 });
    expect(rescued?.partitions).toHaveLength(days);
    expect(Math.max(...rescued!.locks.map(({ heldMs }) => heldMs))).toBeGreaterThan(50);
    expect(await content('order_events')).toEqual(before);
  });

  test('a killed one leaves nothing that stands in the way of the next', async () => {
    await addEvents('2020-02-29', 100);
    const dying = new Client({ connectionString: database.dsn });
    dying.on('error', () => {});
    await dying.connect();
    const { rows: known } = await dying.query('select pg_backend_pid() as pid');
    // A lock that it needs for the end, so that it dies in the middle.
    const reader = new Client({ connectionString: database.dsn });
    await reader.connect();
    await reader.query('begin; lock table only order_events in share mode');
    const killed = rescueDefaultRows(dying, { ...quiet, lockAttempts: 1_000 });
    killed.catch(() => {});
    const stuck = async () => {
      const [row] = await rows("select to_regclass('order_events_p20200229') is not null as made");
      return row?.made === true;
    };
    expect(await waitUntil(stuck, { timeoutMs: 10_000, intervalMs: 5 })).toBe(true);
    await client.query('select pg_terminate_backend($1)', [known[0].pid]);
    await expect(killed).rejects.toThrow();
    await reader.query('rollback');
    await reader.end();
    await addEvents('2020-02-29', 5);
    expect(await rescueDefaultRows(client, quiet)).toMatchObject([
      { rows: 105, partitions: ['order_events_p20200229'] },
    ]);
    expect(await rows('select count(*)::int from order_events')).toEqual([{ count: 105 }]);
    expect(await rows("select count(*)::int from pg_trigger where tgname = 'lab_rescue'")).toEqual([{ count: 0 }]);
  });
});

describe('archive', () => {
  test('a partition comes back from its Parquet file bit for bit', async () => {
    const { day, partition } = await dayBefore(1);
    await addEvents(day, 25_000);
    const before = await content(partition);
    const indexes = 'select indexdef from pg_indexes where tablename = $1 order by 1';
    const indexed = await rows(indexes, [partition]);

    const archived = await archive(partition);
    expect(archived).toMatchObject({ dropped: true, file: path.join(directory, `${partition}.parquet`) });
    expect(archived.manifest.rows).toBe(25_000);
    expect(archived.fileBytes).toBeLessThan(archived.tableBytes);
    for (const lock of archived.locks) expect(lock.waitedMs + lock.heldMs).toBeLessThan(1_000);
    expect(await rows('select to_regclass($1) as found', [partition])).toEqual([{ found: null }]);
    expect(await content('order_events')).toEqual([{ count: 0, hash: null }]);

    expect(await attach(archived.file)).toMatchObject({ table: 'order_events', partition, rows: 25_000 });
    expect(await content(partition)).toEqual(before);
    expect(await content('order_events')).toEqual(before);
    expect(await rows(indexes, [partition])).toEqual(indexed);
    expect(await rows('select count(*)::int from pg_constraint where conname = $1', ['lab_bounds'])).toEqual([
      { count: 0 },
    ]);
    expect((await archive(partition, { directory: path.join(directory, 'again') })).manifest.rowHash).toBe(
      archived.manifest.rowHash,
    );
  });

  test.each(['dispute_events', 'webhook_deliveries', 'outbox'])('%s goes there and back', async (table) => {
    const load = applyLoad({ dsn: database.dsn, dedupe: 'key_table', seed: 5 });
    await load.apply(600);
    await load.end();
    const partition = `${table}_p${(await dayBefore(0)).day.replaceAll('-', '')}`;
    const before = await content(table);
    // Seen from a week ahead, today's partition gets no more rows.
    const later = () => new Date(Date.now() + 3 * 86_400_000);
    const { file, manifest } = await archive(partition, { now: later });
    expect(manifest.rows).toBeGreaterThan(10);
    await attach(file);
    expect(await content(table)).toEqual(before);
  });

  test('is queried with SQL, which leaves no file behind', async () => {
    const { day, partition } = await dayBefore(1);
    await addEvents(day, 100);
    const { file } = await archive(partition);
    vi.stubEnv('TMPDIR', directory);
    onTestFinished(() => void vi.unstubAllEnvs());
    const sql =
      'select provider, count()::Int32 as n, max(created_at)::String as newest, toString(max(sequence)) as sequence from archive group by provider order by n';
    expect(await queryArchives([file], sql)).toEqual([
      {
        provider: null,
        n: 33,
        newest: expect.stringContaining(`${day} 00:01:39.123457`),
        sequence: '9007199254741092',
      },
      {
        provider: 'silvergate',
        n: 67,
        newest: expect.stringContaining(`${day} 00:01:40.123457`),
        sequence: '9007199254741093',
      },
    ]);
    expect(await readdir(directory)).toEqual([path.basename(file)]);
  });

  test('leaves everything in place when the rows change, or may still change', async () => {
    const { day, partition } = await dayBefore(1);
    await addEvents(day, 100);
    const other = new Client({ connectionString: database.dsn });
    await other.connect();
    const changed = archive(partition, {
      progress: async (line) => {
        if (line.includes('reading'))
          await other.query("update order_events set user_id = 'x' where order_id = 'ord_7'");
      },
    });
    await expect(changed).rejects.toThrow('changed while it was exported');
    await other.end();
    expect(await rows('select count(*)::int from order_events')).toEqual([{ count: 100 }]);
    await expect(archive((await dayBefore(0)).partition)).rejects.toThrow('may still receive rows');
    await expect(archive('order_events_default')).rejects.toThrow('default partition');
    await expect(archive('order_events_p19990101')).rejects.toThrow('No partition');
  });

  test('an empty partition that maintenance made meanwhile makes way, one with rows does not', async () => {
    const { day, partition } = await dayBefore(1);
    const empty = await archive(partition);
    expect(empty.manifest.rows).toBe(0);
    expect((await attach(empty.file)).rows).toBe(0);
    await rm(empty.file);
    await addEvents(day, 30);
    const { file } = await archive(partition);
    await maintain(client);
    expect(await rows('select to_regclass($1) is not null as made', [partition])).toEqual([{ made: true }]);
    expect((await attach(file)).rows).toBe(30);
    await expect(attach(file)).rejects.toThrow('with rows in it already');
    expect(await rows('select count(*)::int from order_events')).toEqual([{ count: 30 }]);
  });

  test('a damaged file is found out before it is attached', async () => {
    const { day, partition } = await dayBefore(1);
    await addEvents(day, 100);
    const { file } = await archive(partition, { keep: true });
    const bytes = await readFile(file);
    // Among the event ids, which are random and so not compressed.
    bytes[500] = bytes[500]! ^ 1;
    await writeFile(file, bytes);
    await client.query(`alter table ${partition} rename to before`);
    await expect(attach(file)).rejects.toThrow();
    expect(await rows('select to_regclass($1) as found', [partition])).toEqual([{ found: null }]);
    await writeFile(file, 'no parquet');
    await expect(readManifest(file)).rejects.toThrow();
  });

  test('a detached partition is listed and put back by its name; an expired one only by force', async () => {
    const { day, partition } = await dayBefore(1);
    await addEvents(day, 50);
    const { file } = await archive(partition, { keep: true });
    const list = (await listPartitions(client)).partitions.find((entry) => entry.partition === partition);
    expect(list).toMatchObject({ attached: false, table: 'order_events' });
    expect((await attach(partition)).rows).toBe(50);
    await rm(file);
    const again = await archive(partition);
    await client.query(
      "update retention_settings set retention = interval '25 hours' where table_name = 'order_events'",
    );
    const inTwoDays = () => new Date(Date.now() + 2 * 86_400_000);
    const late = (force: boolean) => attachPartition(client, { ...quiet, source: again.file, force, now: inTwoDays });
    await expect(late(false)).rejects.toThrow('older than order_events keeps them');
    expect((await late(true)).rows).toBe(50);
  });
});
