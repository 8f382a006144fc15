import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listInstalled } from '../../runtime/native/installed.ts';
import { type PostgresServer, startPostgres } from '../../runtime/native/postgres.ts';
import { throwawaySettings } from '../../runtime/native/postgres-settings.ts';
import { createRunDirectory, type RunDirectory } from '../../runtime/native/run-directory.ts';
import { describeSchema } from '../../sql/dump.ts';
import { migrate } from '../../sql/migrate.ts';
import { describeIf } from '../../test/skip.ts';
import { applyLoad } from '../../test/webhooks/apply-load.ts';
import { archivePartition } from '../partitions/archive.ts';
import { attachPartition } from '../partitions/attach.ts';
import { listPartitions } from '../partitions/list.ts';
import { maintain } from '../partitions/maintain.ts';
import { rescueDefaultRows } from '../partitions/rescue.ts';
import { type ConvertOptions, convertToPartitioned } from './convert.ts';

const installed = await listInstalled();
const missing = installed.some((server) => server.extensions.includes('pg_partman'))
  ? undefined
  : 'an installed PostgreSQL with pg_partman: apt install postgresql-15-partman';

describeIf('conversion and partitions with pg_partman', missing, () => {
  let directory: RunDirectory;
  let archives: string;
  let server: PostgresServer;
  let client: Client;
  let fresh: Client;

  beforeAll(async () => {
    directory = await createRunDirectory();
    archives = await mkdtemp(path.join(tmpdir(), 'lab-archive-'));
    server = await startPostgres({
      runDirectory: directory.path,
      name: 'partman',
      kind: 'installed',
      preferExtension: 'pg_partman',
      settings: { ...throwawaySettings, shared_preload_libraries: '' },
    });
    client = await connect(server.dsn());
    await client.query('create database converted');
    await client.query('create database fresh');
    await client.end();
    await migrate({ dsn: server.dsn('converted'), topology: 'plain' });
    await migrate({ dsn: server.dsn('fresh'), topology: 'partitioned' });
    client = await connect(server.dsn('converted'));
    fresh = await connect(server.dsn('fresh'));
  });
  afterAll(async () => {
    await client?.end();
    await fresh?.end();
    await directory?.close();
    if (archives) await rm(archives, { recursive: true });
  });

  const convert = (given: Partial<ConvertOptions> = {}) =>
    convertToPartitioned({
      dsn: server.dsn('converted'),
      action: 'start',
      batchRows: 500,
      duty: 1,
      maxLockMs: 1_000,
      compare: true,
      measureMs: 100,
      measureFree: async () => null,
      restartServices: async () => {},
      progress: () => {},
      ...given,
    });

  test('an abort removes what pg_partman was told', async () => {
    const schema = await describeSchema(server.dsn('converted'));
    const stop = async () => {
      throw new Error('stop here');
    };
    await expect(convert({ beforeSwitch: stop })).rejects.toThrow('stop here');
    expect((await client.query('select count(*)::int as count from partman.part_config')).rows).toEqual([{ count: 4 }]);
    await convert({ action: 'abort' });
    expect(await describeSchema(server.dsn('converted'))).toBe(schema);
    // One that was killed after this, too.
    await expect(convert({ beforeSwitch: stop })).rejects.toThrow('stop here');
    await client.query('drop extension pg_partman; drop schema partman cascade');
    await convert({ action: 'abort' });
    expect(await describeSchema(server.dsn('converted'))).toBe(schema);
    expect((await client.query("select 1 from pg_extension where extname = 'pg_partman'")).rows).toEqual([]);
  });

  test('the result is managed by pg_partman as a fresh database is', async () => {
    const load = applyLoad({ dsn: server.dsn('converted'), dedupe: 'natural_key', seed: 6 });
    await load.apply(400);
    await load.end();
    const result = await convert();
    expect(result.phase).toBe('finished');
    expect(await describeSchema(server.dsn('converted'))).toBe(await describeSchema(server.dsn('fresh')));
    const settings = 'select to_jsonb(p) as settings from partman.part_config p order by parent_table';
    expect((await client.query(settings)).rows).toEqual((await fresh.query(settings)).rows);
    const templates = "select tablename from pg_tables where schemaname = 'partman' order by 1";
    expect((await client.query(templates)).rows).toEqual((await fresh.query(templates)).rows);
    // pg_partman makes its days ahead when it is asked first.
    await maintain(client);
    expect((await maintain(client)).filter(({ created, dropped }) => created + dropped > 0)).toEqual([]);
    await client.query("select ensure_partitions('outbox', current_date + 20, current_date + 20)");
    const { partitions } = await listPartitions(client);
    const last = partitions.filter(({ table }) => table === 'outbox').at(-1);
    expect(Number(last?.from)).toBeGreaterThan(Date.now() + 18 * 86_400_000);
  });

  test('rescued and attached partitions are named as pg_partman names them', async () => {
    await client.query(
      `insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers, created_at)
       select gen_random_uuid(), 'order', 'o1', 'u1', n, 'x', '{}', '{}', '2024-02-29 12:00Z' from generate_series(1, 30) n`,
    );
    const quiet = { maxLockMs: 1_000, progress: () => {} };
    const [rescued] = await rescueDefaultRows(client, quiet);
    const four = (
      await client.query("select extversion like '4.%' as four from pg_extension where extname = 'pg_partman'")
    ).rows[0].four;
    const name = four ? 'outbox_p2024_02_29' : 'outbox_p20240229';
    expect(rescued).toMatchObject({ table: 'outbox', rows: 30, partitions: [name] });
    const known = await client.query(
      "select partition_tablename as name from partman.show_partitions('public.outbox')",
    );
    expect(known.rows.map((row) => row.name)).toContain(name);
    const now = () => new Date();
    const { file } = await archivePartition(client, {
      ...quiet,
      partition: name,
      directory: archives,
      keep: false,
      now,
    });
    const attached = await attachPartition(client, { ...quiet, source: file, force: true, now });
    expect(attached).toMatchObject({ partition: name, rows: 30 });
    const maintained = await maintain(client);
    expect((await client.query('select to_regclass($1) as found', [name])).rows).toEqual([{ found: null }]);
    expect(maintained.find(({ table }) => table === 'outbox')!.dropped).toBeGreaterThan(0);
  });
});

async function connect(dsn: string): Promise<Client> {
  const client = new Client({ connectionString: dsn });
  await client.connect();
  await client.query("set timezone = 'UTC'");
  return client;
}
