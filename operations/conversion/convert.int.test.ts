// Longer than 300 lines because every step of a conversion is broken off and resumed once.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { auditRun } from '../../audit/audit.ts';
import { waitUntil } from '../../kernel/wait.ts';
import { describeSchema } from '../../sql/dump.ts';
import { migrate } from '../../sql/migrate.ts';
import { readCatalog } from '../../test/postgres/catalog.ts';
import { createDatabase, type TestDatabase } from '../../test/postgres/database.ts';
import { applyLoad, type Load } from '../../test/webhooks/apply-load.ts';
import { maintain } from '../partitions/maintain.ts';
import { type ConvertOptions, convertToPartitioned } from './convert.ts';

let database: TestDatabase;
let client: Client;
beforeEach(async () => {
  database = await createDatabase('plain');
  client = new Client({ connectionString: database.dsn });
  await client.connect();
  await client.query("set timezone = 'UTC'");
});
afterEach(async () => {
  await client.end();
  await database.drop();
});

function convert(given: Partial<ConvertOptions> = {}) {
  return convertToPartitioned({
    dsn: database.dsn,
    action: 'start',
    batchRows: 500,
    duty: 1,
    maxLockMs: 1_000,
    compare: true,
    measureMs: 100,
    measureFree: async () => Number.POSITIVE_INFINITY,
    restartServices: async () => {},
    progress: () => {},
    ...given,
  });
}

async function rows(query: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  return (await client.query(query, values)).rows;
}

/** Outbox rows of the past days; ids in no order of time. */
async function addHistory(days: number, perDay: number): Promise<void> {
  await client.query(
    `insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers, created_at)
     select gen_random_uuid(), 'order', 'past' || d, 'u1', n, 'x', '{"a": [1, 2]}', '{}', now() - make_interval(days => d, secs => n)
     from generate_series(0, $1::int - 1) d, generate_series(1, $2::int) n`,
    [days, perDay],
  );
}

const content = (table: string) =>
  rows(`select count(*)::int as count, sum(hashtextextended(t::text, 0)::numeric)::text as hash from ${table} t`);

describe('conversion of a plain database', () => {
  test('leaves the schema of a fresh partitioned database, and every row', async () => {
    const load = applyLoad({ dsn: database.dsn, dedupe: 'natural_key', seed: 1 });
    await load.apply(1_500);
    await load.end();
    await addHistory(40, 50);
    const tables = ['order_events', 'dispute_events', 'webhook_deliveries', 'outbox'];
    const before = await Promise.all(tables.map(content));
    const keys = await rows(
      `select provider, provider_event_id, body_sha256, received_at from webhook_deliveries
       where verdict not in ('duplicate', 'quarantined') order by 1, 2`,
    );

    const result = await convert();

    expect(result.phase).toBe('finished');
    expect(await Promise.all(tables.map(content))).toEqual(before);
    expect(await rows('select * from webhook_keys order by 1, 2')).toEqual(keys);
    expect(keys.length).toBeGreaterThan(1_000);
    const total = before.reduce((sum, [table]) => sum + Number(table?.count), 0);
    expect(result.rowsCopied).toBe(total);
    expect(result.compared?.map(({ rows: count }) => count).reduce((a, b) => a + b)).toBe(total);
    expect(result.longestLockMs).toBeLessThan(1_000);

    const fresh = await createDatabase('partitioned');
    try {
      expect(await describeSchema(database.dsn)).toBe(await describeSchema(fresh.dsn));
      const other = new Client({ connectionString: fresh.dsn });
      await other.connect();
      await other.query("set timezone = 'UTC'");
      const [expected, found] = await Promise.all([other, client].map(readCatalog));
      // The past days of this one have partitions too.
      const known = [...found!].filter(([name]) => expected!.has(name) || !/_p\d{8}$/.test(name));
      expect(new Map(known)).toEqual(expected);
      expect([...expected!.keys()].filter((name) => /^outbox_p\d{8}$/.test(name)).length).toBeGreaterThan(7);
      const migrations = 'select name, sha256 from schema_migrations order by 1';
      expect(await rows(migrations)).toEqual((await other.query(migrations)).rows);
      await other.end();
    } finally {
      await fresh.drop();
    }
    expect(await migrate({ dsn: database.dsn, topology: 'partitioned' })).toEqual({ applied: [] });
    expect(await rows("select nspname from pg_namespace where nspname ~ 'conversion'")).toEqual([]);
    expect(await rows('select sum(row_count)::int as outside from default_partition_rows()')).toEqual([{ outside: 0 }]);
    expect((await maintain(client)).filter(({ created }) => created > 0)).toEqual([]);
    expect((await auditRun({ dsn: database.dsn, topology: 'partitioned' })).invariants.filter(({ ok }) => !ok)).toEqual(
      [
        // The made-up history has no events beside it.
        expect.objectContaining({ id: 'I5' }),
      ],
    );
  });
});

/** Every acknowledged webhook took effect exactly once, whatever happened in between. */
function expectOneEffectEach(load: Load): void {
  expect(load.errors).toEqual([]);
  expect([...load.effects].filter(([, effects]) => effects !== 1)).toEqual([]);
}

async function expectCleanAudit(): Promise<void> {
  const { invariants } = await auditRun({ dsn: database.dsn, topology: 'partitioned' });
  expect(invariants.filter(({ ok }) => !ok)).toEqual([]);
  expect(invariants.find(({ id }) => id === 'I3')?.checked).toBeGreaterThan(1_000);
}

// The load takes what the machine has to give, so these take their time on a busy one.
describe('conversion under load', { timeout: 90_000 }, () => {
  let load: Load;
  beforeEach(() => {
    load = applyLoad({ dsn: database.dsn, dedupe: 'natural_key', seed: 2 });
  });
  afterEach(async () => {
    await load.stop();
    await load.end();
  });

  test('neither loses nor doubles a webhook; services of both topologies work side by side after the switch', async () => {
    await load.apply(1_000);
    load.start();
    const other = applyLoad({ dsn: database.dsn, dedupe: 'natural_key', seed: 2 });
    try {
      const switched = await convert({ restartServices: undefined, measureMs: 2_000 });
      expect(switched.phase).toBe('switched');
      expect(switched.changesApplied).toBeGreaterThan(0);
      expect(switched.throughput.beforePerSecond).toBeGreaterThan(0);
      expect(switched.throughput.duringPerSecond).toBeGreaterThan(0);
      expect(switched.longestLockMs).toBeLessThanOrEqual(1_000);

      // The same events by a service that was restarted already, and by one that was not.
      other.dedupe = 'key_table';
      await Promise.all([other.apply(400), waitForMore(load, 400)]);
      expect(other.errors).toEqual([]);
      await expect(convert({ action: 'finish', measureMs: 500 })).rejects.toThrow('still runs as plain');

      load.dedupe = 'key_table';
      await waitForMore(load, 400);
      const finished = await convert({ action: 'finish', measureMs: 500 });
      expect(finished.phase).toBe('finished');
      expect(finished.longestLockMs).toBeLessThanOrEqual(1_000);
      await waitForMore(load, 400);
    } finally {
      await other.end();
    }
    await load.stop();
    expect(load.errors).toEqual([]);
    // The other service delivered the first of the same events: what it applied is a duplicate here, and vice versa.
    const both = [...load.effects].map(([id, count]) => [id, count + (other.effects.get(id) ?? 0)]);
    expect(both.filter(([, count]) => count !== 1)).toEqual([]);
    await expectCleanAudit();
  });

  test('goes on after kill -9 in the middle of the copy', async () => {
    await load.apply(2_000);
    load.start();
    const arguments_ = ['--dsn', database.dsn, '--batch-rows', '100', '--duty', '0.1', '--measure-ms', '200'];
    const converter = spawn(process.execPath, ['lab/bin.js', 'convert', 'partitioned', ...arguments_], {
      stdio: 'ignore',
    });
    const exited = once(converter, 'exit');
    const copied = async () => {
      const [known] = await rows("select to_regclass('conversion.tables') is not null as known");
      if (!known?.known) return 0;
      const [row] = await rows('select coalesce(sum(rows_copied), 0)::int as copied from conversion.tables');
      return Number(row?.copied);
    };
    expect(await waitUntil(async () => (await copied()) >= 500, { timeoutMs: 15_000, intervalMs: 5 })).toBe(true);
    converter.kill('SIGKILL');
    await exited;
    const before = await copied();
    const [total] = await rows('select count(*)::int as count from webhook_deliveries');
    expect(before).toBeLessThan(Number(total?.count));

    await expect(convert()).rejects.toThrow(/half done. Go on with --resume, or undo it with --abort/);
    const restartServices = async () => {
      load.dedupe = 'key_table';
    };
    const result = await convert({ action: 'resume', restartServices });
    expect(result.phase).toBe('finished');
    expect(result.rowsCopied).toBeGreaterThan(before);
    await waitForMore(load, 200);
    await load.stop();
    expectOneEffectEach(load);
    await expectCleanAudit();
  });

  test('an abort leaves the plain database as it was', async () => {
    const schema = await describeSchema(database.dsn);
    const triggers = await rows('select oid from pg_trigger where not tgisinternal order by oid');
    await load.apply(1_000);
    load.start();
    const stop = new AbortController();
    const stopped = convert({
      batchRows: 50,
      signal: stop.signal,
      progress: (line) => /copied/.test(line) && stop.abort(),
    });
    await expect(stopped).rejects.toThrow();
    expect(await rows('select phase from conversion.state')).toEqual([{ phase: 'copying' }]);
    expect((await convert({ action: 'abort' })).phase).toBe('aborted');
    await load.stop();
    expect(await describeSchema(database.dsn)).toBe(schema);
    expect(await rows('select oid from pg_trigger where not tgisinternal order by oid')).toEqual(triggers);
    expect(await rows('select count(*)::int from pg_class where relispartition')).toEqual([{ count: 0 }]);
    await load.apply(100);
    expectOneEffectEach(load);
    expect((await auditRun({ dsn: database.dsn, topology: 'plain' })).ok).toBe(true);
    await expect(convert({ action: 'abort' })).rejects.toThrow('no conversion to undo');
  });

  test('stops where changes come in faster than they are brought over, with both rates, and goes on later', async () => {
    await load.apply(500);
    const halted = { beforeSwitch: () => Promise.reject(new Error('halted')) };
    await expect(convert(halted)).rejects.toThrow('halted');
    await load.apply(1_500);
    load.start();
    const behind =
      /^Changes come in at \d+\/s and are brought over at \d+\/s: \d+ wait.* lower the load, and go on with --resume/;
    await expect(convert({ action: 'resume', batchRows: 1, compare: false })).rejects.toThrow(behind);
    const restartServices = async () => {
      load.dedupe = 'key_table';
    };
    expect((await convert({ action: 'resume', restartServices })).phase).toBe('finished');
    await load.stop();
    expectOneEffectEach(load);
    await expectCleanAudit();
  });
});

test('an abort that was broken off can only be repeated: changes of some tables were not noted since', async () => {
  await addHistory(2, 100);
  const halted = { beforeSwitch: () => Promise.reject(new Error('halted')) };
  await expect(convert(halted)).rejects.toThrow('halted');
  const writer = new Client({ connectionString: database.dsn });
  await writer.connect();
  await writer.query('begin; lock table outbox in row exclusive mode');
  await expect(convert({ action: 'abort', maxLockMs: 100, lockAttempts: 1 })).rejects.toThrow(/^release outbox: /);
  await writer.query('rollback');
  await writer.end();
  const load = applyLoad({ dsn: database.dsn, dedupe: 'natural_key', seed: 4 });
  await load.apply(50);
  await load.end();
  await expect(convert({ action: 'resume', compare: false })).rejects.toThrow('being undone');
  await expect(convert()).rejects.toThrow('being undone');
  expect((await convert({ action: 'abort' })).phase).toBe('aborted');
  expect((await auditRun({ dsn: database.dsn, topology: 'plain' })).invariants.filter(({ ok }) => !ok)).toEqual([
    // The made-up history has no events beside it.
    expect.objectContaining({ id: 'I5' }),
  ]);
});

async function waitForMore(load: Load, count: number): Promise<void> {
  const wanted = load.acknowledged + count;
  expect(await waitUntil(() => load.acknowledged >= wanted, { timeoutMs: 15_000, intervalMs: 5 })).toBe(true);
}

describe('what a conversion brings over', () => {
  test('updates and deletes that come between copy and switch', async () => {
    await addHistory(3, 400);
    const load = applyLoad({ dsn: database.dsn, dedupe: 'natural_key', seed: 3 });
    await load.apply(300);
    await load.end();
    await convert({
      batchRows: 100,
      beforeSwitch: async () => {
        await client.query("update outbox set event_type = 'changed' where sequence % 3 = 0");
        await client.query("update outbox set created_at = created_at + interval '1 day' where sequence % 7 = 0");
        await client.query('delete from outbox where sequence % 5 = 0');
        await client.query("delete from webhook_deliveries where verdict = 'applied' and provider_event_id like '%7'");
        await client.query('create table expected as select * from outbox');
        await client.query('create table expected_deliveries as select * from webhook_deliveries');
      },
    });
    expect(await content('outbox')).toEqual(await content('expected'));
    expect(await content('webhook_deliveries')).toEqual(await content('expected_deliveries'));
    expect(await rows('select count(*)::int as count from webhook_keys')).toEqual(
      await rows(
        "select count(*)::int as count from expected_deliveries where verdict not in ('duplicate', 'quarantined')",
      ),
    );
  });

  test('grants and publications: each row is published once, before the switch and after it', async () => {
    await client.query('create publication events for table outbox; grant delete on outbox to lab_cdc');
    await client.query("select pg_create_logical_replication_slot('convert_test', 'pgoutput')");
    await addHistory(2, 100);
    try {
      await convert();
      await addHistory(1, 7);
      const published = async () => {
        const [row] = await rows(
          `select count(*)::int as count from pg_logical_slot_peek_binary_changes('convert_test', null, null,
             'proto_version', '1', 'publication_names', 'events') where get_byte(data, 0) = ascii('I')`,
        );
        return Number(row?.count);
      };
      // A commit is decoded once its WAL is flushed; whatever came before it is decoded by then.
      expect(await waitUntil(async () => (await published()) >= 207, { timeoutMs: 10_000, intervalMs: 50 })).toBe(true);
      expect(await published()).toBe(207);
      expect(await rows("select has_table_privilege('lab_cdc', 'outbox', 'delete') as may")).toEqual([{ may: true }]);
    } finally {
      await client.query("select pg_drop_replication_slot('convert_test')");
    }
  });
});

describe('a conversion is refused', () => {
  test('where the tables are partitioned already', async () => {
    await convert();
    await expect(convert()).rejects.toThrow('partitioned already');
  });

  test('where the disk is short', async () => {
    await addHistory(2, 100);
    await expect(convert({ measureFree: async () => 1_000 })).rejects.toThrow(/disk is short: .* 1 MB are free/);
    expect(await rows("select nspname from pg_namespace where nspname ~ 'conversion'")).toEqual([]);
  });

  test('where something hangs on the tables, or the schema is another', async () => {
    await client.query('create view recent as select * from outbox');
    await expect(convert()).rejects.toThrow('view recent');
    await client.query('drop view recent; create publication everything for all tables');
    await expect(convert()).rejects.toThrow('publication everything');
    await client.query('drop publication everything; create publication everything_here for tables in schema public');
    await expect(convert()).rejects.toThrow('publication everything_here');
    await client.query(
      `drop publication everything_here;
       create function note() returns trigger language plpgsql as $$ begin return null; end $$;
       create trigger mine after insert on outbox for each row execute function note()`,
    );
    await expect(convert()).rejects.toThrow('trigger mine of outbox');
    await client.query(
      'drop trigger mine on outbox; drop function note(); create policy ours on order_events using (true)',
    );
    await expect(convert()).rejects.toThrow('policy ours of order_events');
    await client.query("drop policy ours on order_events; insert into schema_migrations values ('0099_mine.sql', '')");
    await expect(convert()).rejects.toThrow('0099_mine.sql');
  });

  test('while a long transaction holds a table: no writer waits long, and the message names it', async () => {
    await addHistory(1, 10);
    const reader = new Client({ connectionString: database.dsn, application_name: 'long-report' });
    await reader.connect();
    await reader.query('begin; select count(*) from outbox');
    const refused = convert({ maxLockMs: 100, lockAttempts: 3 });
    await expect(refused).rejects.toThrow(/switch: these sessions hold the tables: .*long-report/);
    const [locks] = await rows(
      'select count(*)::int as given_up, max(waited_ms + held_ms) as longest from conversion.locks where not taken',
    );
    expect(locks?.given_up).toBe(3);
    expect(Number(locks?.longest)).toBeLessThan(100);
    await reader.query('rollback');
    await reader.end();
    expect((await convert({ action: 'resume' })).phase).toBe('finished');
  });
});
