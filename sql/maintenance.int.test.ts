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
function onOneDatabase(topology: 'plain' | 'partitioned'): void {
  beforeAll(() => open(topology));
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

async function maintain(batchRows = 10_000): Promise<Record<string, Record<string, unknown>>> {
  const result = await rows('select table_name, created, dropped, deleted::int from run_maintenance($1)', [batchRows]);
  return Object.fromEntries(result.map(({ table_name: name, ...counts }) => [name, counts]));
}

describe('partitioned', () => {
  onOneDatabase('partitioned');

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

  test('maintenance makes partitions again that are gone, and is idle the second time', async () => {
    await client.query(`drop table outbox_p${await day(7)}, outbox_p${await day(6)}`);
    expect((await maintain()).outbox).toEqual({ created: 2, dropped: 0, deleted: 0 });
    expect((await maintain()).outbox).toEqual({ created: 0, dropped: 0, deleted: 0 });
  });

  test('retention drops partitions whose newest possible row has expired, and no younger one', async () => {
    await rows("select ensure_partitions('outbox', current_date - 12, current_date - 2)");
    await addOutboxRow(10);
    await addOutboxRow(3);
    // Seven days of retention: the partition of the eighth day before today may still hold younger rows.
    const result = (await maintain()).outbox;
    expect(result).toEqual({ created: 0, dropped: 5, deleted: 0 });
    expect((await partitionsOf('outbox'))[0]).toBe(`outbox_p${await day(-7)}`);
    expect(await rows('select count(*)::int from outbox')).toEqual([{ count: 1 }]);
  });

  test('webhook_keys is not partitioned and loses expired rows in batches', async () => {
    await client.query(
      `insert into webhook_keys (provider, provider_event_id, body_sha256, received_at)
       select 'silvergate', 'e' || n, sha256('x'), now() - case when n <= 5 then interval '121 days' else interval '119 days' end
       from generate_series(1, 8) n`,
    );
    expect((await maintain(3)).webhook_keys).toEqual({ created: 0, dropped: 0, deleted: 3 });
    expect((await maintain(3)).webhook_keys).toEqual({ created: 0, dropped: 0, deleted: 2 });
    expect(await rows('select count(*)::int from webhook_keys')).toEqual([{ count: 3 }]);
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

describe('partitioned, beside another session', () => {
  beforeAll(() => open('partitioned'));
  afterAll(close);

  test('dropping a partition waits for readers no longer than the lock time-out', async () => {
    await rows("select ensure_partitions('outbox', current_date - 12, current_date - 12)");
    const reader = new Client({ connectionString: database.dsn });
    await reader.connect();
    await reader.query('begin');
    await reader.query('select count(*) from outbox');
    // The function's own limit of 5 s would only make this test slow.
    await client.query("alter function drop_expired_partitions(text, interval) set lock_timeout = '200ms'");
    const attempt = await rows('select * from run_maintenance()').catch((error) => error);
    expect(attempt).toMatchObject({ code: '55P03' });
    await reader.end();
    expect((await maintain()).outbox).toMatchObject({ dropped: 1 });
  });
});

describe('plain', () => {
  onOneDatabase('plain');

  test('nothing is partitioned, and ensure_partitions has nothing to do', async () => {
    expect(await rows('select * from partitioned_tables()')).toEqual([]);
    expect(await rows('select * from default_partition_rows()')).toEqual([]);
    expect(await rows("select ensure_partitions('outbox', '2030-01-01', '2030-01-10') as made")).toEqual([{ made: 0 }]);
  });

  test('retention deletes expired rows in batches, and no younger one', async () => {
    await addOutboxRow(8, 25);
    await addOutboxRow(6, 5);
    const deleted: unknown[] = [];
    for (let i = 0; i < 4; i++) deleted.push((await maintain(10)).outbox?.deleted);
    expect(deleted).toEqual([10, 10, 5, 0]);
    expect(await rows('select count(*)::int from outbox')).toEqual([{ count: 5 }]);
  });

  test('every table with a retention is cared for, the ones that this topology lacks aside', async () => {
    expect(Object.keys(await maintain())).toEqual(['dispute_events', 'order_events', 'outbox', 'webhook_deliveries']);
  });
});
