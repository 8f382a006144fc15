// Longer than 300 lines because all that makes and removes partitions and old rows is tried on the same tables.
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { capabilities } from '../kernel/topology.ts';
import { createDatabase, type TestDatabase } from '../test/postgres/database.ts';

let database: TestDatabase;
let client: Client;

async function open(topology: 'plain' | 'partitioned'): Promise<void> {
  database = await createDatabase(topology);
  client = new Client({ connectionString: database.dsn });
  await client.connect();
  await client.query("set timezone = 'UTC'");
}

async function close(): Promise<void> {
  await client.end();
  await database.drop();
}

/** One database for all tests of a group; what each of them does is undone. */
function onOneDatabase(): void {
  beforeAll(() => open('partitioned'));
  afterAll(close);
  beforeEach(() => client.query('begin'));
  afterEach(() => client.query('rollback'));
}

async function rows(query: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  return (await client.query(query, values)).rows;
}

/** An outbox row from so many days ago; the table whose retention (7 days) is the shortest. */
async function addOutboxRow(daysAgo: number, count = 1): Promise<void> {
  await client.query(
    `insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers, created_at)
     select gen_random_uuid(), 'order', 'o1', 'u1', n, 'x', '{}', '{}', now() - make_interval(days => $1)
     from generate_series(1, $2) n`,
    [daysAgo, count],
  );
}

/** Names of a table's partitions, the default one aside. */
async function partitionsOf(table: string): Promise<string[]> {
  const found = await rows(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = $1::regclass and pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT' order by 1`,
    [table],
  );
  return found.map((row) => String(row.name));
}

async function day(offset: number): Promise<string> {
  const [row] = await rows(`select to_char(now() + make_interval(days => $1), 'YYYYMMDD') as day`, [offset]);
  return String(row?.day);
}

/** Runs the procedure once. @returns what it reports, by table. */
async function maintain(batchRows = 10_000): Promise<Record<string, Record<string, unknown>>> {
  const [row] = await rows('call run_maintenance($1, null)', [batchRows]);
  const report = row!.report as Record<string, unknown>[];
  return Object.fromEntries(report.map(({ table, ...counts }) => [String(table), counts]));
}

/** What is reported of a table for which there is nothing to do. */
const idle = { created: 0, dropped: 0, deleted: 0, postponed: false, more: false };

describe('partitioned', () => {
  onOneDatabase();

  test('the partitioned tables are those that the capability table names', async () => {
    const found = await rows('select t as name from partitioned_tables() t');
    expect(found.map((row) => row.name)).toEqual([...capabilities('partitioned').partitionedTables].sort());
  });

  test.each(capabilities('partitioned').partitionedTables)(
    '%s has yesterday, today and seven days ahead',
    async (table) => {
      const expected: string[] = [];
      for (let n = -1; n <= 7; n++) expected.push(`${table}_p${await day(n)}`);
      expect(await partitionsOf(table)).toEqual(expected);
    },
  );

  test('a partition covers one UTC day', async () => {
    const name = `outbox_p${await day(0)}`;
    const [row] = await rows('select pg_get_expr(relpartbound, oid) as bound from pg_class where relname = $1', [name]);
    const today = new Date().toISOString().slice(0, 10);
    const tomorrow = new Date(Date.parse(today) + 86_400_000).toISOString().slice(0, 10);
    expect(row?.bound).toBe(`FOR VALUES FROM ('${today} 00:00:00+00') TO ('${tomorrow} 00:00:00+00')`);
  });

  test('the day stays the UTC day when the session lives elsewhere', async () => {
    await client.query("set timezone = 'Pacific/Auckland'");
    await rows('select ensure_partitions($1, $2, $2)', ['outbox', '2031-05-06']);
    await client.query("set timezone = 'UTC'");
    const [row] = await rows(
      "select pg_get_expr(relpartbound, oid) as bound from pg_class where relname = 'outbox_p20310506'",
    );
    expect(row?.bound).toBe("FOR VALUES FROM ('2031-05-06 00:00:00+00') TO ('2031-05-07 00:00:00+00')");
  });

  test('ensure_partitions makes what is missing in a range and says how many', async () => {
    const ensure = async () =>
      (await rows("select ensure_partitions('order_events', '2030-01-01', '2030-01-10') as made"))[0]?.made;
    expect([await ensure(), await ensure()]).toEqual([10, 0]);
    await client.query('drop table order_events_p20300105');
    expect(await ensure()).toBe(1);
  });

  test('a row for a day without a partition is kept in the default partition and raises the alarm', async () => {
    const alarm = async () =>
      (await rows("select row_count::int from default_partition_rows() where table_name = 'outbox'"))[0];
    expect(await alarm()).toEqual({ row_count: 0 });
    await addOutboxRow(-30);
    expect(await alarm()).toEqual({ row_count: 1 });
  });

  test('rows in the default partition hold up only the day they are of', async () => {
    await addOutboxRow(-8);
    const notices: string[] = [];
    client.on('notice', (notice) => notices.push(String(notice.message)));
    const [row] = await rows("select ensure_partitions('outbox', current_date + 8, current_date + 9) as made");
    expect(row).toEqual({ made: 1 });
    expect(notices.join()).toMatch(/wait in the default partition of outbox/);
  });
});

describe('the maintenance of partitions', () => {
  beforeAll(() => open('partitioned'));
  afterAll(close);

  test('partitions that are gone are made again, and the second time there is nothing to do', async () => {
    await client.query(`drop table outbox_p${await day(7)}, outbox_p${await day(6)}`);
    expect((await maintain()).outbox).toEqual({ ...idle, created: 2 });
    expect((await maintain()).outbox).toEqual(idle);
  });

  test('retention drops partitions whose newest possible row has expired, and no younger one', async () => {
    await rows("select ensure_partitions('outbox', current_date - 12, current_date - 2)");
    await addOutboxRow(10);
    await addOutboxRow(3);
    // Seven days of retention: the partition of the eighth day before today may still hold younger rows.
    expect((await maintain()).outbox).toEqual({ ...idle, dropped: 5 });
    expect((await partitionsOf('outbox'))[0]).toBe(`outbox_p${await day(-7)}`);
    expect(await rows('select count(*)::int from outbox')).toEqual([{ count: 1 }]);
    expect(await rows('select count(*)::int from pg_class where relname = $1', [`outbox_p${await day(-12)}`])).toEqual([
      { count: 0 },
    ]);
  });

  test('webhook_keys is not partitioned and loses expired rows in batches, each committed', async () => {
    await client.query(
      `insert into webhook_keys (provider, provider_event_id, body_sha256, received_at)
       select 'silvergate', 'e' || n, sha256('x'), now() - case when n <= 65 then interval '121 days' else interval '119 days' end
       from generate_series(1, 70) n`,
    );
    expect((await maintain(3)).webhook_keys).toEqual({ ...idle, deleted: 60, more: true });
    expect((await maintain(3)).webhook_keys).toEqual({ ...idle, deleted: 5 });
    expect(await rows('select count(*)::int from webhook_keys')).toEqual([{ count: 5 }]);
  });

  test('what another run has detached and not dropped is dropped by the next, and what an archive keeps is not', async () => {
    await rows("select ensure_partitions('outbox', current_date - 12, current_date - 11)");
    await rows("select detach_expired_partition('outbox')");
    await client.query('create table kept (like outbox)');
    await client.query(
      `comment on table kept is '{"lab_partition_of": "outbox", "from": "2026-01-01", "to": "2026-01-02"}'`,
    );
    expect((await maintain()).outbox).toEqual({ ...idle, dropped: 2 });
    expect(await rows("select to_regclass('kept') is not null as yes")).toEqual([{ yes: true }]);
  });

  test('it can’t be called inside a transaction, which would keep its locks', async () => {
    await client.query('begin');
    await expect(maintain()).rejects.toMatchObject({ code: '2D000' });
    await client.query('rollback');
  });
});

describe('the maintenance of partitions, beside other sessions', () => {
  let other: Client;
  beforeAll(async () => {
    await open('partitioned');
    other = new Client({ connectionString: database.dsn });
    await other.connect();
  });
  afterAll(async () => {
    await other.end();
    await close();
  });

  test('a reader in the way postpones the table, which is said, and no other table', async () => {
    await rows(
      "select ensure_partitions(t, current_date - 500, current_date - 500) from unnest('{outbox,order_events}'::text[]) t",
    );
    await other.query('begin');
    await other.query('select count(*) from outbox');
    // The pauses between ten attempts would only make this test slow.
    const step = String((await rows("select pg_get_functiondef('maintenance_step'::regproc) as text"))[0]!.text);
    await client.query(step.replace('2 ^ attempt, 2)', '0, 0)'));
    const report = await maintain();
    await client.query(step);
    expect(report.outbox).toEqual({ ...idle, postponed: true });
    expect(report.order_events).toEqual({ ...idle, dropped: 1 });
    await other.query('commit');
    expect((await maintain()).outbox).toEqual({ ...idle, dropped: 1 });
  });

  test('writers go on while a reader is in the way: none waits longer than the lock is waited for', async () => {
    await rows("select ensure_partitions('outbox', current_date - 500, current_date - 500)");
    await other.query('begin');
    await other.query('select count(*) from outbox');
    const writer = new Client({ connectionString: database.dsn });
    await writer.connect();
    await writer.query("set statement_timeout = '2s'");
    const maintaining = maintain();
    for (let n = 0; n < 50; n += 1) {
      await writer.query(
        `insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers)
         values (gen_random_uuid(), 'order', 'o1', 'u1', 1, 'x', '{}', '{}')`,
      );
    }
    await other.query('commit');
    expect((await maintaining).outbox).toMatchObject({ postponed: false, dropped: 1 });
    await writer.end();
  });

  test('partitions are made while readers and writers of other days hold the table', async () => {
    await client.query(`drop table outbox_p${await day(7)}`);
    await other.query('begin');
    // Values, and not current_date: the planner leaves no partition out by what it does not know yet.
    const [today, tomorrow] = [0, 1].map((n) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10));
    await other.query('select count(*) from outbox where created_at >= $1 and created_at < $2', [today, tomorrow]);
    await other.query(
      `insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers)
       values (gen_random_uuid(), 'order', 'o1', 'u1', 1, 'x', '{}', '{}')`,
    );
    expect((await maintain()).outbox).toEqual({ ...idle, created: 1 });
    await other.query('commit');
  });

  test('two runs at once, and counts of the default partitions beside them, neither fail nor do the work twice', async () => {
    const third = new Client({ connectionString: database.dsn });
    await third.connect();
    for (let round = 0; round < 5; round += 1) {
      await rows(
        "select ensure_partitions(t, current_date - 501, current_date - 500) from unnest('{dispute_events,order_events,outbox,webhook_deliveries}'::text[]) t",
      );
      let running = true;
      const counting = async () => {
        while (running) await third.query('select * from default_partition_rows()');
      };
      const counted = counting();
      const reports = await Promise.all([
        maintain(),
        other.query('call run_maintenance()').then(({ rows: [row] }) => row.report),
      ]);
      running = false;
      await counted;
      const [first, second] = [Object.values(reports[0]), reports[1] as Record<string, unknown>[]];
      const dropped = [...first, ...second].map((table) => Number(table.dropped)).reduce((sum, n) => sum + n, 0);
      expect(dropped).toBe(8);
    }
    await third.end();
  });
});

describe('plain', () => {
  beforeAll(() => open('plain'));
  afterAll(close);

  test('nothing is partitioned, and ensure_partitions has nothing to do', async () => {
    expect(await rows('select * from partitioned_tables()')).toEqual([]);
    expect(await rows('select * from default_partition_rows()')).toEqual([]);
    expect(await rows("select ensure_partitions('outbox', '2030-01-01', '2030-01-10') as made")).toEqual([{ made: 0 }]);
  });

  test('retention deletes expired rows in batches, and no younger one', async () => {
    await addOutboxRow(8, 25);
    await addOutboxRow(6, 5);
    expect((await maintain(10)).outbox).toEqual({ ...idle, deleted: 25 });
    expect(await rows('select count(*)::int from outbox')).toEqual([{ count: 5 }]);
  });

  test('every table with a retention is cared for, the ones that this topology lacks aside', async () => {
    expect(Object.keys(await maintain())).toEqual([
      'dispute_events',
      'idempotency_keys',
      'login_throttles',
      'notifications',
      'order_events',
      'outbox',
      'security_events',
      'sessions',
      'webhook_deliveries',
    ]);
  });
});

describe('partitions of weeks and months', () => {
  beforeAll(() => open('partitioned'));
  afterAll(close);

  /** Bounds of a table's partitions, as days. */
  async function boundsOf(table: string): Promise<[string, string][]> {
    const found = await rows(
      "select to_char(lower_bound, 'YYYY-MM-DD') as lower, to_char(upper_bound, 'YYYY-MM-DD') as upper from partition_bounds($1) order by 1",
      [table],
    );
    return found.map(({ lower, upper }) => [String(lower), String(upper)]);
  }

  /** Whether each partition begins where the one before ends. */
  function areGapless(bounds: readonly [string, string][]): boolean {
    return bounds.slice(1).every(([lower], n) => lower === bounds[n]![1]);
  }

  test.each([
    ['week', 7],
    ['month', 28],
  ])('a new system has whole %ss from yesterday on', async (unit, days) => {
    await client.query('call change_partition_interval($1)', [unit]);
    const bounds = await boundsOf('order_events');
    const length = ([lower, upper]: [string, string]) => (Date.parse(upper) - Date.parse(lower)) / 86_400_000;
    expect(bounds.every((one) => length(one) >= days)).toBe(true);
    expect(areGapless(bounds)).toBe(true);
    expect(bounds[0]![0] <= (await rows('select (current_date - 1)::text as day'))[0]!.day!).toBe(true);
    expect(bounds.at(-1)![1] > String((await rows('select (current_date + 7)::text as day'))[0]!.day)).toBe(true);
    expect((await maintain()).order_events).toEqual(idle);
    await addOutboxRow(0);
    expect(await rows('select sum(row_count)::int as outside from default_partition_rows()')).toEqual([{ outside: 0 }]);
  });

  test('a table whose rows leave after a few days keeps its days', async () => {
    await client.query("call change_partition_interval('month')");
    expect(await boundsOf('outbox')).toHaveLength(9);
    expect(await boundsOf('webhook_deliveries')).not.toHaveLength(9);
  });

  test('days with rows stay, and what follows them begins where they end', async () => {
    await rows("select ensure_partitions('order_events', current_date - 20, current_date)");
    await client.query(
      `insert into order_events (event_id, order_id, user_id, sequence, kind, data, created_at)
       select gen_random_uuid(), 'o', 'u', 21 - n, 'hold_set', '{}', current_date - n + interval '1 hour' from generate_series(0, 20) n`,
    );
    for (const unit of ['week', 'day', 'month', 'week']) {
      await client.query('call change_partition_interval($1)', [unit]);
      expect(areGapless(await boundsOf('order_events'))).toBe(true);
      expect(await rows('select count(*)::int from order_events')).toEqual([{ count: 21 }]);
      expect((await maintain()).order_events).toEqual(idle);
    }
  });

  test('another word is refused, and what is there stays', async () => {
    const before = await boundsOf('order_events');
    await expect(client.query("call change_partition_interval('fortnight')")).rejects.toThrow(
      'a partition interval is day, week or month, not fortnight',
    );
    expect(await boundsOf('order_events')).toEqual(before);
  });
});
