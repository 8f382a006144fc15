import { afterAll, beforeAll, expect, test } from 'vitest';
import { withClient } from '../kernel/postgres/with-client.ts';
import { startExporters } from '../runtime/native/prometheus.ts';
import { findPostgresExporter } from '../runtime/native/prometheus-installation.ts';
import { createRunDirectory, type RunDirectory } from '../runtime/native/run-directory.ts';
import { startDatabase } from '../runtime/native/start-database.ts';
import { exportedByExporter, exportedByText } from '../test/metrics/exported.ts';
import { describeIf } from '../test/skip.ts';

const missing = (await findPostgresExporter())
  ? undefined
  : 'postgres_exporter: apt install prometheus-postgres-exporter';

describeIf('postgres_exporter', missing, () => {
  let run: RunDirectory;
  let text: string;

  beforeAll(async () => {
    run = await createRunDirectory();
    const database = await startDatabase({ topology: 'replicated', runDirectory: run.path, progress: () => {} });
    // Citus can't be had everywhere; what its catalogs show is known.
    await withClient(database.dsn.admin, (client) =>
      client.query(`
        create table pg_dist_local_group as select 1 as groupid;
        create table pg_dist_node as
          select * from (values (1, 'w1', 5432), (2, 'w2', 5432)) as n (groupid, nodename, nodeport);
        create table pg_dist_placement as select * from (values (7, 1), (8, 1), (9, 2)) as p (shardid, groupid);
        create table pg_dist_shard as select shardid, 'retention_settings'::regclass as logicalrelid from pg_dist_placement;
        create function shard_name(logicalrelid regclass, shardid integer) returns regclass language sql return logicalrelid;
        grant select on pg_dist_local_group, pg_dist_node, pg_dist_placement, pg_dist_shard to public`),
    );
    const [exporter] = await startExporters(run.path, 'payments', [database.primary]);
    text = await (await fetch(`http://127.0.0.1:${exporter!.port}/metrics`)).text();
  });

  // The guard of the run ends everything.
  afterAll(() => run?.close());

  test('exports every series that dashboards count on, with its labels', async () => {
    const exported = exportedByText(text);
    const promised = [...(await exportedByExporter())].flatMap(([name, labels]) =>
      [...labels].filter(Boolean).map((label) => `${name}.${label}`),
    );
    const kept = new Set([...exported].flatMap(([name, labels]) => [...labels].map((label) => `${name}.${label}`)));
    expect(promised.length).toBeGreaterThan(60);
    expect(promised.filter((one) => !kept.has(one))).toEqual([]);
  });

  test('its queries tell the truth', () => {
    const value = (series: string): number => {
      const [name, matcher] = series.split('|');
      const line = text.split('\n').find((one) => one.startsWith(`${name}{`) && one.includes(matcher ?? ''));
      return Number(line?.split(' ').at(-1));
    };
    expect(value('lab_partition_count|table="outbox"')).toBeGreaterThan(2);
    expect(value('lab_partition_ahead_seconds|table="outbox"')).toBeGreaterThan(86_400);
    expect(value('lab_standby_streaming|standby="replica_1"')).toBe(1);
    expect(value('lab_slot_active|slot_name="replica_1"')).toBe(1);
    expect(value('lab_server_in_recovery')).toBe(0);
    expect(value('lab_table_heap_bytes|table="orders"')).toBeGreaterThanOrEqual(0);
    expect(value('lab_shard_shards|node="w1:5432"')).toBe(2);
    expect(value('lab_shard_bytes|node="w1:5432"')).toBeGreaterThanOrEqual(2 * 8_192);
    expect(text).not.toContain('node="w2:5432"');
    // Partitions are added up under their parent's name.
    expect(text).not.toMatch(/lab_table_\w+\{[^}]*table="outbox_p/);
  });

  test('no query fails', () => {
    expect(text).toMatch(/^pg_exporter_user_queries_load_error\{[^}]*\} 0$/m);
    expect(text).toMatch(/^pg_exporter_last_scrape_error(\{[^}]*\})? 0$/m);
    expect(text).toMatch(/^pg_up(\{[^}]*\})? 1$/m);
  });
});
