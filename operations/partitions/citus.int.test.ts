import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCitus } from '../../runtime/native/citus.ts';
import { missingCitus } from '../../runtime/native/missing-citus.ts';
import { createRunDirectory, type RunDirectory } from '../../runtime/native/run-directory.ts';
import { describeIf } from '../../test/skip.ts';
import { archivePartition } from './archive.ts';
import { attachPartition } from './attach.ts';
import { listPartitions } from './list.ts';
import { rescueDefaultRows } from './rescue.ts';

describeIf('partitions of a Citus cluster', await missingCitus(), () => {
  let run: RunDirectory;
  let archives: string;
  let client: Client;
  beforeAll(async () => {
    run = await createRunDirectory();
    archives = await mkdtemp(path.join(tmpdir(), 'lab-archive-'));
    const { dsn } = await startCitus({ topology: 'citus', runDirectory: run.path, progress: () => {} });
    client = new Client({ connectionString: dsn.admin });
    await client.connect();
  }, 120_000);
  afterAll(async () => {
    await client?.end();
    await run?.close();
    if (archives) await rm(archives, { recursive: true });
  });

  const options = { maxLockMs: 2_000, progress: () => {}, now: () => new Date() };

  async function addRows(daysAgo: number, count: number): Promise<void> {
    await client.query(
      `insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers, created_at)
       select gen_random_uuid(), 'order', 'o' || n, 'u' || n % 20, n, 'x', '{"a": [1]}', '{}', now() - make_interval(days => $1)
       from generate_series(1, $2::int) n`,
      [daysAgo, count],
    );
  }

  const content = async () =>
    (
      await client.query(
        'select count(*)::int as count, sum(hashtextextended(event_id::text || created_at, 0)::numeric)::text as hash from outbox',
      )
    ).rows;

  test('one is archived, and comes back to its workers, from the file and as a detached table', async () => {
    await client.query("select ensure_partitions('outbox', current_date - 4, current_date - 2)");
    await addRows(3, 500);
    const before = await content();
    const { partitions } = await listPartitions(client);
    const day = Date.now() - 3 * 86_400_000;
    const { partition } = partitions.find(
      (one) => one.table === 'outbox' && one.from && Number(one.from) <= day && Number(one.to) > day,
    )!;
    for (const keep of [true, false]) {
      const directory = path.join(archives, String(keep));
      const { file, manifest } = await archivePartition(client, { ...options, partition, directory, keep });
      expect(manifest.rows).toBe(500);
      expect(await content()).toMatchObject([{ count: 0 }]);
      const attached = await attachPartition(client, { ...options, source: keep ? partition : file, force: true });
      expect(attached).toMatchObject({ table: 'outbox', partition, rows: 500 });
      expect(await content()).toEqual(before);
    }
    const spread = await client.query(
      'select count(distinct nodeport)::int as workers from citus_shards where table_name = $1::text::regclass and shard_size > 0',
      [partition],
    );
    expect(spread.rows).toEqual([{ workers: 2 }]);
  });

  test('rows of a default partition are not moved behind the back of writers: the message says what to do', async () => {
    await addRows(100, 5);
    const before = await content();
    await expect(rescueDefaultRows(client, options)).rejects.toThrow(/^outbox: .* docs\/guides\/partitions.md/);
    await client.query(
      `begin;
       set local citus.multi_shard_modify_mode to 'sequential'`,
    );
    for (const statement of [
      'lock table outbox in exclusive mode',
      'create temp table kept as select * from outbox_default',
      'delete from outbox_default',
      "select ensure_partitions('outbox', min(created_at)::date, max(created_at)::date) from kept",
      'insert into outbox select * from kept',
      'commit',
    ]) {
      await client.query(statement);
    }
    expect(await content()).toEqual(before);
    const { rows } = await client.query('select sum(row_count)::int as outside from default_partition_rows()');
    expect(rows).toEqual([{ outside: 0 }]);
  });
});
