import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { capabilities } from '../kernel/topology.ts';
import { listInstalled } from '../runtime/native/installed.ts';
import { type PostgresServer, startPostgres } from '../runtime/native/postgres.ts';
import { throwawaySettings } from '../runtime/native/postgres-settings.ts';
import { createRunDirectory, type RunDirectory } from '../runtime/native/run-directory.ts';
import { describeIf } from '../test/skip.ts';
import { migrate } from './migrate.ts';

const installed = await listInstalled();
const missing = installed.some((server) => server.extensions.includes('pg_partman'))
  ? undefined
  : 'an installed PostgreSQL with pg_partman: apt install postgresql-15-partman';

const dailyTables = [...capabilities('partitioned').partitionedTables].sort();

describeIf('pg_partman on an installed PostgreSQL', missing, () => {
  let directory: RunDirectory;
  let server: PostgresServer;
  let client: Client;

  beforeAll(async () => {
    directory = await createRunDirectory();
    server = await startPostgres({
      runDirectory: directory.path,
      name: 'partman',
      kind: 'installed',
      preferExtension: 'pg_partman',
      settings: { ...throwawaySettings, shared_preload_libraries: '' },
    });
    await migrate({ dsn: server.dsn(), topology: 'partitioned' });
    client = new Client({ connectionString: server.dsn() });
    await client.connect();
  });

  afterAll(async () => {
    await client?.end();
    await directory?.close();
  });

  async function rows(query: string): Promise<Record<string, unknown>[]> {
    return (await client.query(query)).rows;
  }

  /** Days relative to today (UTC) that the table's partitions cover, by their bounds and not by their names. */
  async function daysCovered(table: string): Promise<number[]> {
    const found = await client.query(
      `select substring(pg_get_expr(c.relpartbound, c.oid) from 'FROM \\(''([^'']+)''')::timestamptz::date
              - (now() at time zone 'UTC')::date as day
       from pg_inherits i join pg_class c on c.oid = i.inhrelid
       where i.inhparent = $1::regclass and pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT' order by 1`,
      [table],
    );
    return found.rows.map((row) => row.day);
  }

  test('manages the tables that the topology partitions; what has expired leaves in steps of ours', async () => {
    const [extension] = await rows("select extversion from pg_extension where extname = 'pg_partman'");
    expect(extension?.extversion).toMatch(/^[45]\./);
    const configured = await rows(
      `select substring(parent_table from 8) as name, control, premake, retention_keep_table as keeps, p.retention
       from partman.part_config p join retention_settings s on 'public.' || s.table_name = p.parent_table order by 1`,
    );
    expect(configured.map((row) => row.name)).toEqual(dailyTables);
    expect(configured.every((row) => row.premake === 7 && row.keeps === false && row.retention === null)).toBe(true);
  });

  test.each(dailyTables)('%s has yesterday, today and seven days ahead, each a UTC day', async (table) => {
    const days = await daysCovered(table);
    expect(days).toEqual(expect.arrayContaining([-1, 0, 1, 2, 3, 4, 5, 6, 7]));
    expect(new Set(days).size).toBe(days.length);
  });

  test('run_maintenance premakes through pg_partman and is idle the second time', async () => {
    await rows('call run_maintenance()');
    const [idle] = await rows('call run_maintenance()');
    const report = idle!.report as { created: number; dropped: number; postponed: boolean }[];
    const [settings] = await rows('select count(*)::int as count from retention_settings');
    expect(report).toHaveLength(Number(settings!.count));
    expect(report.filter(({ created, dropped, postponed }) => created + dropped > 0 || postponed)).toEqual([]);
    await rows("select ensure_partitions('outbox', current_date + 20, current_date + 21)");
    expect(await daysCovered('outbox')).toEqual(expect.arrayContaining([20, 21]));
  });

  test('expired partitions are dropped and younger ones stay', async () => {
    await rows("select ensure_partitions('outbox', current_date - 12, current_date - 2)");
    expect(Math.min(...(await daysCovered('outbox')))).toBe(-12);
    await rows('call run_maintenance()');
    expect(Math.min(...(await daysCovered('outbox')))).toBe(-7);
    expect(await rows("select count(*)::int from pg_class where relname like 'outbox_p%' and relkind = 'r'")).toEqual([
      { count: (await daysCovered('outbox')).length },
    ]);
  });

  test('partitions of weeks are made by pg_partman too, and its own maintenance agrees', async () => {
    await rows("call change_partition_interval('week')");
    await rows("select ensure_partitions('order_events', current_date + 20, current_date + 40)");
    for (let run = 0; run < 2; run += 1) await rows('call run_maintenance()');
    const bounds = await rows("select lower_bound, upper_bound from partition_bounds('order_events') order by 1");
    const weeks = bounds.map(({ lower_bound: from, upper_bound: to }) => (Number(to) - Number(from)) / 7 / 86_400_000);
    expect(new Set(weeks)).toEqual(new Set([1]));
    expect(await rows('select sum(row_count)::int as outside from default_partition_rows()')).toEqual([{ outside: 0 }]);
    await rows("call change_partition_interval('day')");
  });

  test('a row without a partition is kept in the default partition and raises the alarm', async () => {
    await rows(
      `insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers, created_at)
       values (gen_random_uuid(), 'order', 'o1', 'u1', 1, 'x', '{}', '{}', now() + interval '60 days')`,
    );
    const alarm = await rows('select table_name, row_count::int from default_partition_rows() where row_count > 0');
    expect(alarm).toEqual([{ table_name: 'outbox', row_count: 1 }]);
    await rows('delete from outbox_default');
  });

  test('what the API may do is the same as without pg_partman', async () => {
    await client.query('begin');
    await client.query('set local role lab_api');
    await client.query("select premake_partitions('outbox'), detach_expired_partition('outbox')");
    await expect(client.query('update outbox set sequence = 1')).rejects.toMatchObject({ code: '42501' });
    await client.query('rollback');
  });
});
