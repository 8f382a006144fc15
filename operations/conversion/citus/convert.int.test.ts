// Longer than 300 lines because all of it shares one cluster, whose start takes longer than the tests.
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { auditRun } from '../../../audit/audit.ts';
import { withClient } from '../../../kernel/postgres/with-client.ts';
import { startCitus } from '../../../runtime/native/citus.ts';
import type { Database } from '../../../runtime/native/database.ts';
import { missingCitus } from '../../../runtime/native/missing-citus.ts';
import { createRunDirectory, type RunDirectory } from '../../../runtime/native/run-directory.ts';
import { describeSchema } from '../../../sql/dump.ts';
import { endLoad } from '../../../stream/native/positions.ts';
import { createSlot, readSystemIdentifier } from '../../../stream/native/slot.ts';
import { createDatabase, type TestDatabase } from '../../../test/postgres/database.ts';
import { describeIf } from '../../../test/skip.ts';
import { applyLoad, type Load } from '../../../test/webhooks/apply-load.ts';
import { dropSlot } from './cdc.ts';
import { convertToCitus } from './convert.ts';
import type { CitusConvertOptions } from './options.ts';
import { bringChanges } from './step.ts';
import { bookkeepingTables, convertedTables, ledgerTables, notificationTables, readTables } from './tables.ts';

let source: TestDatabase;
let client: Client;
beforeEach(async () => {
  source = await createDatabase('partitioned');
  client = await connect(source.dsn);
});
afterEach(async () => {
  await client.end();
  await source.drop();
});

async function connect(dsn: string): Promise<Client> {
  const made = new Client({ connectionString: dsn });
  await made.connect();
  await made.query("set timezone = 'UTC'");
  return made;
}

function convert(targetDsn: string, given: Partial<CitusConvertOptions> = {}) {
  return convertToCitus({
    sourceDsn: source.dsn,
    action: 'start',
    batchRows: 500,
    duty: 1,
    maxLockMs: 2_000,
    measureMs: 100,
    measureFree: async () => Number.POSITIVE_INFINITY,
    openTarget: async () => targetDsn,
    progress: () => {},
    ...given,
  });
}

test('every table of a partitioned database is converted, refused, or belongs to its server', async () => {
  const { rows } = await client.query<{ name: string }>(
    "select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition",
  );
  expect(rows.map(({ name }) => name).sort()).toEqual(
    [...convertedTables, ...ledgerTables, ...notificationTables, ...bookkeepingTables].sort(),
  );
});

test('a database in which a user has an account is refused before anything happens', async () => {
  await client.query(
    "insert into accounts (account_id, user_id, currency, kind) values ('external:EUR', 'system', 'EUR', 'external')",
  );
  await client.query(
    "insert into accounts (account_id, user_id, currency, kind, overdraft_limit_minor) values ('acc_1', 'usr_1', 'EUR', 'wallet', 0)",
  );
  const schema = await describeSchema(source.dsn);
  await expect(convert('postgresql://127.0.0.1:1/none')).rejects.toThrow('This database has accounts');
  expect(await describeSchema(source.dsn)).toBe(schema);
});

describeIf('conversion to citus', await missingCitus(), () => {
  let run: RunDirectory;
  let cluster: Database;
  let target: Client;
  beforeAll(async () => {
    run = await createRunDirectory();
    cluster = await startCitus({ topology: 'citus', runDirectory: run.path, progress: () => {} });
    target = await connect(cluster.dsn.admin);
  });
  afterAll(async () => {
    await target?.end();
    await run?.close();
  });
  afterEach(async () => {
    await emptyCluster();
  });

  /** By delete, since a truncate of hundreds of shards takes seconds. */
  async function emptyCluster(): Promise<void> {
    for (const name of [...convertedTables].reverse()) {
      if (name !== 'retention_settings') await target.query(`delete from ${name}`);
    }
    await target.query('delete from order_owners; delete from cdc_dead_letters');
  }

  const dsn = () => cluster.dsn.admin;

  /** Rows and hash of the columns that the source has; a key once, wherever it lies. */
  async function contents(side: Client): Promise<Record<string, unknown>> {
    const all: Record<string, unknown> = {};
    for (const name of convertedTables) {
      const { rows } = await client.query<{ columns: string }>(
        `select string_agg(case when atttypid = 'timestamptz'::regtype then format('extract(epoch from %1$I) as %1$I', attname)
                                else quote_ident(attname) end, ', ' order by attnum) as columns
         from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
        [name],
      );
      const found = await side.query(
        `select count(*)::int as count, sum(hashtextextended(t::text, 0)::numeric)::text as hash
         from (select distinct ${rows[0]!.columns} from ${name}) t`,
      );
      all[name] = found.rows[0];
    }
    return all;
  }

  async function one(side: Client, query: string): Promise<unknown[]> {
    return (await side.query(query)).rows.map((row) => Object.values(row)[0]);
  }

  /** Some hundred webhooks a second, until it is stopped. */
  function keepApplying(load: Load): () => Promise<void> {
    return keepDoing(async () => {
      await load.apply(20);
      await delay(50);
    });
  }

  /** @returns what ends it. */
  function keepDoing(work: () => Promise<unknown>): () => Promise<void> {
    let stopped = false;
    const ended = (async () => {
      while (!stopped) await work();
    })();
    return () => {
      stopped = true;
      return ended;
    };
  }

  /** Rows of every kind that the load does not make, and outbox rows of the past days. */
  async function addRareRows(): Promise<void> {
    await client.query(
      `select ensure_partitions('outbox', current_date - 4, current_date);
       insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers, created_at)
       select gen_random_uuid(), 'order', 'past' || d, 'u1', n, 'x', '{"a": [1, 2.10], "b": "ü\\u0001\\\\"}', '{}', now() - make_interval(days => d, secs => n)
       from generate_series(0, 3) d, generate_series(1, 300) n;
       insert into parked_webhooks (provider, provider_event_id, order_id, event, received_at)
       values ('stripe', 'evt_ownerless', 'ord_late', '{"userId": null}', now()), ('silvergate', 'evt_early', 'ord_later', '{"userId": "user_9"}', now());
       insert into webhook_keys (provider, provider_event_id, body_sha256)
       select p, e, sha256(e::bytea) from (values ('stripe', 'evt_ownerless'), ('silvergate', 'evt_early'), ('adyen', 'evt_ignored')) v (p, e);
       insert into webhook_deliveries (delivery_id, provider, provider_event_id, body_sha256, body, verdict)
       select gen_random_uuid(), p, e, sha256(e::bytea), '{}', v
       from (values ('stripe', 'evt_ownerless', 'parked'), ('silvergate', 'evt_early', 'parked'), ('adyen', 'evt_ignored', 'ignored'),
                    ('adyen', 'evt_odd', 'quarantined')) x (p, e, v);
       insert into captures (capture_id, order_id, idempotency_key, amount_minor, currency, status)
       select gen_random_uuid(), order_id, 'first', 100, 'EUR', 'requested' from orders limit 20;
       insert into evidence (evidence_id, dispute_id, fields) select gen_random_uuid(), dispute_id, '{"note": "n"}' from disputes limit 7;
       insert into evidence_files (file_id, evidence_id, name, content_type, size_bytes, sha256, content)
       select gen_random_uuid(), evidence_id, 'a.bin', 'application/octet-stream', 3, sha256('\\x00ff0a'), '\\x00ff0a' from evidence;
       update retention_settings set retention = interval '8 days' where table_name = 'outbox'`,
    );
  }

  test('brings over every row of every table, with what changes until the switch', { timeout: 120_000 }, async () => {
    const load = applyLoad({ dsn: source.dsn, dedupe: 'key_table', seed: 5 });
    await load.apply(1_500);
    await addRareRows();
    const stop = keepApplying(load);
    const result = await convert(dsn(), {
      beforeSwitch: async () => {
        await stop();
        await client.query(
          `update orders set status = 'failed', updated_at = now() where order_id like '%7';
           update outbox set event_type = 'changed' where sequence % 3 = 0;
           delete from outbox where sequence % 5 = 0;
           delete from webhook_keys where provider_event_id = 'evt_ignored';
           delete from evidence_files where evidence_id = (select evidence_id from evidence limit 1);
           insert into orders (order_id, user_id, status, sequence, provider, provider_updated_at) values ('ord_late', 'user_7', 'created', 1, 'stripe', now());
           insert into order_events (event_id, order_id, user_id, sequence, kind, provider, provider_event_id, data)
           values (gen_random_uuid(), 'ord_late', 'user_7', 1, 'webhook_received', 'stripe', 'evt_ownerless', '{}');
           delete from parked_webhooks where provider_event_id = 'evt_ownerless'`,
        );
      },
    });
    await load.end();
    expect(load.errors).toEqual([]);

    expect(result).toMatchObject({ phase: 'switched', cdc: null, withoutWritesMs: null });
    expect(await contents(target)).toEqual(await contents(client));
    expect(result.changesApplied).toBeGreaterThan(100);
    expect(result.longestLockMs).toBeLessThan(2_000);
    expect(result.compared?.map(({ table }) => table)).toEqual([...convertedTables]);
    const sums = await one(client, 'select sum(amount_minor)::text from captures');
    expect([result.compared?.find(({ table }) => table === 'captures')?.amountMinor]).toEqual(sums);
    // Where a repetition of each event will be looked for.
    const keysOf = (event: string) =>
      one(target, `select user_id from webhook_keys where provider_event_id = '${event}' order by 1`);
    expect(await keysOf('evt_ownerless')).toEqual(['#ord_late', 'user_7']);
    expect(await keysOf('evt_early')).toEqual(['user_9']);
    expect(await keysOf('evt_ignored')).toEqual([]);
    expect(
      await one(
        target,
        'select count(*)::int from webhook_keys k join order_events e using (user_id, provider, provider_event_id)',
      ),
    ).toEqual(
      await one(
        client,
        'select count(*)::int from webhook_keys k join order_events e using (provider, provider_event_id)',
      ),
    );
    expect(await one(target, "select user_id from order_owners where order_id = 'ord_late' and waiting")).toEqual([
      'user_7',
    ]);
    expect(await one(target, 'select sum(row_count)::int from default_partition_rows()')).toEqual([0]);

    const refused = client.query("update orders set status = 'failed'").catch((error) => error);
    expect(await refused).toMatchObject({
      code: '25006',
      message: expect.stringContaining('this database was converted'),
    });
    expect((await convert(dsn(), { action: 'finish' })).phase).toBe('finished');
    expect(await one(client, "select nspname from pg_namespace where nspname like 'conversion%'")).toEqual([
      'conversion_fence',
    ]);
    await withClient(source.dsn, async (fresh) => {
      await expect(fresh.query('create table more (id int)')).rejects.toThrow('read-only transaction');
    });
    await expect(convert(dsn(), { action: 'resume' })).rejects.toThrow('There is no conversion to resume');
  });

  test('goes on where it was broken off, at every step', { timeout: 120_000 }, async () => {
    const load = applyLoad({ dsn: source.dsn, dedupe: 'key_table', seed: 6 });
    await load.apply(1_000);
    const stop = keepApplying(load);
    try {
      const at = (pattern: RegExp) => {
        const stop = new AbortController();
        const progress = (line: string) => pattern.test(line) && stop.abort();
        return { progress, signal: stop.signal, batchRows: 100 };
      };
      await expect(convert(dsn(), at(/^orders: .*complete/))).rejects.toThrow('abort');
      await expect(convert(dsn())).rejects.toThrow(/half done. Go on with --resume, or undo it with --abort/);
      await expect(convert(dsn(), { ...at(/^webhook_keys: /), action: 'resume' })).rejects.toThrow('abort');
      await expect(convert(dsn(), { ...at(/^comparing/), action: 'resume' })).rejects.toThrow('abort');
      const halted = { action: 'resume' as const, beforeSwitch: () => Promise.reject(new Error('halted')) };
      await expect(convert(dsn(), halted)).rejects.toThrow('halted');
      await expect(convert(dsn(), { action: 'finish' })).rejects.toThrow('The switch is still to come');
      const failing = () => Promise.reject(new Error('the API does not start'));
      await expect(convert(dsn(), { action: 'resume', restartServices: failing })).rejects.toThrow('does not start');
      await expect(convert(dsn(), { action: 'abort' })).rejects.toThrow('The switch is done');
      const result = await convert(dsn(), { action: 'resume', restartServices: async () => {} });
      expect(result).toMatchObject({ phase: 'finished', changesInSwitch: expect.any(Number) });
      expect(result.withoutWritesMs).toBeGreaterThan(0);
    } finally {
      await stop();
      await load.end();
    }
    expect(await contents(target)).toEqual(await contents(client));
    // From the switch on every webhook was refused as by a store that is away, and none stored.
    expect(load.errors.length).toBeGreaterThan(0);
    expect(new Set(load.errors.map((error) => (error as { code: string }).code))).toEqual(new Set(['25006']));
    expect([...load.effects].filter(([, effects]) => effects !== 1)).toEqual([]);
    const audit = await auditRun({ dsn: dsn(), topology: 'citus' });
    expect(audit.invariants.filter(({ ok }) => !ok)).toEqual([]);
    expect(audit.invariants.find(({ id }) => id === 'I3')?.checked).toBeGreaterThan(1_000);
  });

  async function addOutboxRows(side: Client, count: number): Promise<void> {
    await side.query(
      `insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers)
       select gen_random_uuid(), 'order', 'more', 'u1', n, 'x', '{}', '{}' from generate_series(1, $1::int) n`,
      [count],
    );
  }

  /** Reading a row of the image takes longer. Were the function volatile, all rows would be read each time. */
  async function slowDown(table: string, column: string, seconds: number): Promise<void> {
    const slow = `conversion.slowly(${column}, ${seconds}) as ${column}`;
    const [columns] = await one(
      client,
      `select string_agg(case attname when '${column}' then '${slow}' else attname end, ', ' order by attnum)
       from pg_attribute where attrelid = '${table}'::regclass and attnum > 0`,
    );
    await client.query(
      `create or replace function conversion.slowly(given text, seconds float8) returns text language plpgsql stable
       as $$ begin perform pg_sleep(seconds); return given; end $$;
       create or replace view conversion.image_${table} as select ${columns} from public.${table}`,
    );
  }

  test('stops where it falls behind or the switch is out of reach, and goes on later', {
    timeout: 180_000,
  }, async () => {
    const load = applyLoad({ dsn: source.dsn, dedupe: 'key_table', seed: 9 });
    await load.apply(100);
    const halted = { beforeSwitch: () => Promise.reject(new Error('halted')) };
    await expect(convert(dsn(), halted)).rejects.toThrow('halted');

    // As long as writers are held, every piece of work asks whether its time is up.
    await load.apply(100);
    const sides = { source: client, target, tables: await readTables(client, target, 10) };
    const began = { asked: 0 };
    await client.query('begin isolation level repeatable read');
    await target.query('begin');
    const brought = await bringChanges(sides, () => {
      began.asked += 1;
    });
    await target.query('rollback');
    await client.query('rollback');
    expect(brought).toBeGreaterThan(200);
    expect(began.asked).toBeGreaterThan(brought / 10);

    await load.end();

    // A change in every round, and each takes longer than the switch may.
    await slowDown('retention_settings', 'time_column', 0.02);
    const writing = await connect(source.dsn);
    let growing = false;
    let known = 0;
    let rows = 50;
    const endWriting = keepDoing(async () => {
      await writing.query("update retention_settings set premake_days = 8 where table_name = 'outbox'");
      await delay(3);
      if (!growing) return;
      const [rounds] = await one(writing, 'select rounds from conversion.state');
      if (rounds === known) return;
      known = Number(rounds);
      rows *= 2;
      await addOutboxRows(writing, rows);
    });
    const resumed = { action: 'resume', maxLockMs: 20 } as const;
    try {
      await expect(convert(dsn(), resumed)).rejects.toThrow(
        /^The switch is out of reach: .* 20 rounds, .* allow --max-lock-ms \d+, and go on with --resume/,
      );
      // Twice as many in every round, at a millisecond each.
      const fallBehind = async () => {
        await slowDown('outbox', 'event_type', 0.001);
        growing = true;
      };
      await expect(convert(dsn(), { ...resumed, beforeSwitch: fallBehind })).rejects.toThrow(
        /^Changes come in at \d+\/s and are brought over at \d+\/s: .* lower the load, and go on with --resume/,
      );
    } finally {
      await endWriting();
      await writing.end();
    }
    for (const name of ['retention_settings', 'outbox']) {
      await client.query(`create or replace view conversion.image_${name} as select * from public.${name}`);
    }
    expect((await convert(dsn(), { action: 'resume' })).phase).toBe('switched');
    expect(load.errors).toEqual([]);
    expect(await contents(target)).toEqual(await contents(client));
  });

  test('an abort leaves the source as it was, and an empty cluster', async () => {
    const schema = await describeSchema(source.dsn);
    const load = applyLoad({ dsn: source.dsn, dedupe: 'key_table', seed: 7 });
    await load.apply(600);
    const halted = { beforeSwitch: () => Promise.reject(new Error('halted')) };
    await expect(convert(dsn(), halted)).rejects.toThrow('halted');
    expect(await one(target, 'select count(*) > 0 from orders')).toEqual([true]);
    expect((await convert(dsn(), { action: 'abort' })).phase).toBe('aborted');
    expect(await describeSchema(source.dsn)).toBe(schema);
    expect(
      await one(
        client,
        "select count(*)::int from pg_trigger t join pg_proc p on p.oid = t.tgfoid where not tgisinternal and p.pronamespace <> 'public'::regnamespace",
      ),
    ).toEqual([0]);
    expect(await one(target, 'select count(*)::int from orders')).toEqual([0]);
    await load.apply(100);
    await load.end();
    expect(load.errors).toEqual([]);
    expect((await auditRun({ dsn: source.dsn, topology: 'partitioned' })).ok).toBe(true);
    await expect(convert(dsn(), { action: 'abort' })).rejects.toThrow('There is no conversion to undo');
  });

  describe('with a reader of the outbox', () => {
    const slot = () => `convert_${source.dsn.slice(-12)}`;
    beforeEach(async () => {
      await createSlot(client, slot(), await readSystemIdentifier(client));
      await endLoad(client, slot());
    });
    afterEach(async () => {
      await dropSlot(client, slot());
      for (const worker of cluster.workers) {
        for (const number of [1, 2]) {
          await withClient(worker.dsn('payments'), (one) => dropSlot(one, `${slot()}_${number}`));
        }
      }
    });
    const workerSlots = () =>
      Promise.all(
        cluster.workers.map((worker) =>
          withClient(worker.dsn('payments'), (side) =>
            one(
              side,
              "select slot_name || ' ' || state from pg_replication_slots join cdc_positions using (slot_name)",
            ),
          ),
        ),
      );

    test('that comes to its end, the workers’ slots go on where it ended', async () => {
      let reading: NodeJS.Timeout | undefined;
      const advance = () => client.query('select pg_replication_slot_advance($1, pg_current_wal_lsn())', [slot()]);
      const restartServices = async () => {
        reading = setInterval(advance, 100);
      };
      const restartCdc = async () => clearInterval(reading);
      await client.query(
        `insert into cdc_dead_letters (slot_name, event_id, reason, envelope)
         select $1, gen_random_uuid(), 'refused', '{"n": ' || n || '}' from generate_series(1, 450) n`,
        [slot()],
      );
      const letters = `select count(*)::int || ' ' || sum(hashtextextended(
        concat_ws(' ', slot_name, event_id, reason, envelope, extract(epoch from created_at)), 0)::numeric)::text from cdc_dead_letters`;
      const result = await convert(dsn(), { restartServices, restartCdc });
      expect(result.cdc).toEqual({ slot: slot(), workers: 2, drained: true });
      expect(await workerSlots()).toEqual([[`${slot()}_1 streaming`], [`${slot()}_2 streaming`]]);
      expect(await one(client, 'select slot_name from cdc_positions')).toEqual([]);
      expect(await one(target, letters)).toEqual(await one(client, letters));
    });

    test('that does not come to its end, the workers’ readers have to begin with a load', async () => {
      const result = await convert(dsn(), { restartServices: async () => {}, drainTimeoutMs: 300 });
      expect(result.cdc).toEqual({ slot: slot(), workers: 2, drained: false });
      expect(await workerSlots()).toEqual([[], []]);
    });
  });

  describe('is refused', () => {
    test('where the source is no partitioned database', async () => {
      const plain = await createDatabase('plain');
      try {
        await expect(convert(dsn(), { sourceDsn: plain.dsn })).rejects.toThrow(
          'the way leads over `lab convert partitioned`',
        );
      } finally {
        await plain.drop();
      }
      await expect(convert(dsn(), { sourceDsn: dsn() })).rejects.toThrow('This database is a Citus cluster already');
    });

    test('where the target is no cluster, or is in use, or is another than before', async () => {
      const other = await createDatabase('partitioned');
      try {
        await expect(convert(other.dsn)).rejects.toThrow(/^--to 127\S+ has no Citus. Set up a coordinator first/);
        await target.query("insert into order_owners (order_id, user_id) values ('ord_theirs', 'u1')");
        await expect(convert(dsn())).rejects.toThrow(/--to \S+ holds rows in order_owners: it has to be empty/);
        await target.query('delete from order_owners');
        const halted = { beforeSwitch: () => Promise.reject(new Error('halted')) };
        await expect(convert(dsn(), halted)).rejects.toThrow('halted');
        await expect(convert(other.dsn, { action: 'resume' })).rejects.toThrow(
          /goes to \S+, not to \S+: name that one/,
        );
        await expect(convert(other.dsn, { action: 'abort' })).rejects.toThrow(/goes to \S+: name that one with --to/);
        expect((await convert(dsn(), { action: 'abort' })).phase).toBe('aborted');
      } finally {
        await other.drop();
      }
    });

    test('where the disk is short, or a reader of the WAL could not follow', async () => {
      await expect(convert(dsn(), { measureFree: async () => 1_000 })).rejects.toThrow('The disk is short');
      await client.query("select pg_create_logical_replication_slot('another_reader', 'pgoutput')");
      await expect(convert(dsn())).rejects.toThrow("can't follow to a cluster: another_reader (pgoutput)");
      await client.query("select pg_drop_replication_slot('another_reader')");
      expect(await one(client, "select nspname from pg_namespace where nspname like 'conversion%'")).toEqual([]);
    });

    test('while a long transaction holds a table: no writer waits long, and the message names it', async () => {
      const report = new Client({ connectionString: source.dsn, application_name: 'long-report' });
      await report.connect();
      await report.query('begin; lock table outbox in row exclusive mode');
      const refused = convert(dsn(), { maxLockMs: 100, lockAttempts: 2 });
      await expect(refused).rejects.toThrow(/capture outbox: these sessions hold the tables: .*long-report/);
      await report.query('rollback');
      await report.end();
      expect((await convert(dsn(), { action: 'abort' })).phase).toBe('aborted');
    });
  });

  test('a row that another session changed at the target is found before the switch', async () => {
    const load = applyLoad({ dsn: source.dsn, dedupe: 'key_table', seed: 8 });
    await load.apply(200);
    await load.end();
    const halted = { beforeSwitch: () => Promise.reject(new Error('halted')) };
    await expect(convert(dsn(), halted)).rejects.toThrow('halted');
    await target.query(
      'update orders set amount_minor = amount_minor + 1 where order_id = (select min(order_id) from orders)',
    );
    await expect(convert(dsn(), { action: 'resume' })).rejects.toThrow(/orders: the copy differs. Expected .* amounts/);
    expect((await convert(dsn(), { action: 'abort' })).phase).toBe('aborted');
  });
});
