import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeIf } from '../../test/skip.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { isAlive } from './processes.ts';
import { startPrometheus } from './prometheus.ts';
import { findPostgresExporter, findPrometheus } from './prometheus-installation.ts';
import { createRunDirectory, type RunDirectory } from './run-directory.ts';

const installed = (await findPrometheus()) && (await findPostgresExporter());
const missing = installed ? undefined : 'apt install prometheus prometheus-postgres-exporter';

describeIf('Prometheus', missing, () => {
  let run: RunDirectory;
  let left: PostgresServer;
  let taken: PostgresServer;
  beforeAll(async () => {
    run = await createRunDirectory();
    const start = (name: string) => startPostgres({ runDirectory: run.path, name });
    [left, taken] = await Promise.all([start('left'), start('taken')]);
  });
  afterAll(() => run?.close());

  test('leaves the servers that it watched for others, also when it is told so twice', async () => {
    const prometheus = await startPrometheus({
      runDirectory: run.path,
      topology: 'partitioned',
      servers: [left],
      database: 'postgres',
      services: { api: 'http://127.0.0.1:3000' },
    });
    const names = () => prometheus.parts.map(({ name }) => name);
    expect(names()).toEqual(['prometheus', 'exporter_left']);
    const { pid } = prometheus.parts[1]!;
    await prometheus.setTopology('citus');
    await prometheus.watch([taken]);
    await prometheus.watch([taken]);
    expect(names()).toEqual(['prometheus', 'exporter_taken']);
    expect(await isAlive(pid)).toBe(false);

    const targets: { targets: string[]; labels: { job: string; topology: string } }[] = JSON.parse(
      await readFile(path.join(run.path, 'prometheus/targets/lab.yml'), 'utf8'),
    );
    expect(targets.map(({ labels }) => labels)).toEqual([
      { job: 'api', topology: 'citus' },
      { job: 'postgres', topology: 'citus' },
    ]);
    const metrics = await (await fetch(`http://${targets[1]!.targets[0]}/metrics`)).text();
    expect(metrics).toContain(`server="127.0.0.1:${taken.port}"`);
    expect(metrics).toMatch(/^pg_up(\{[^}]*\})? 1$/m);
  });
});
