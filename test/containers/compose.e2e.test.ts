import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditResult } from '../../benchmarks/audit/audit.ts';
import { composeDown } from '../../lab/docker/compose.ts';
import { freePort } from '../../lab/native/free-port.ts';
import type { SystemDescription } from '../../lab/native/system.ts';
import { withClient } from '../../lab/native/with-client.ts';
import { describeIf } from '../skip.ts';
import { missingForProfile } from './docker.ts';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
const webhooks = 2_000;
const published = ['API', 'INGEST', 'CDC', 'PROVIDER', 'POSTGRES', 'KAFKA', 'CONNECT', 'CLICKHOUSE', 'PROMETHEUS'];

/**
 * The whole system in containers, as the guide has one start it. `lab up` builds the two images of this checkout each
 * time: it is this code that is tested, and not what somebody built last week. What has not changed comes from Docker's
 * build cache; a first build asks Debian's archive and npm. Other images are never pulled.
 *
 * Project, ports, secrets and records are this test's own, so that it runs beside others and beside a system of yours.
 */
describeIf('the profile partitioned under compose', await missingForProfile('partitioned'), () => {
  const project = `lab-test-${randomBytes(4).toString('hex')}`;
  let home: string;
  let environment: Record<string, string | undefined>;
  let started: string;
  let system: SystemDescription;

  const lab = (...commandLine: string[]) =>
    run(process.execPath, ['lab/main.ts', ...commandLine], { cwd: root, env: environment, maxBuffer: 1 << 26 });

  beforeAll(async () => {
    home = await mkdtemp(path.join(os.tmpdir(), 'lab-compose-'));
    // As root a native server runs as another user, who has to get through; `lab up` asks that before it knows of Docker.
    await chmod(home, 0o711);
    const ports = await Promise.all(published.map(async (name) => [`${name}_PORT`, String(await freePort())]));
    environment = {
      ...process.env,
      ...Object.fromEntries(ports),
      ...{ LAB_HOME: home, COMPOSE_PROJECT_NAME: project, COMPOSE_ENV_FILES: path.join(home, 'secrets.env') },
    };
    const up = await lab('up', 'partitioned', '--runtime', 'docker', '--small', '--detach', '--json');
    started = up.stderr;
    system = JSON.parse(up.stdout);
  }, 900_000);

  // Also what a test left that failed half-way.
  afterAll(async () => {
    await composeDown({ name: project, environmentFiles: [path.join(home, 'secrets.env')] });
    await rm(home, { recursive: true, force: true });
  }, 120_000);

  test('lab up prints the compose command that does the same', () => {
    expect(started).toMatch(
      new RegExp(`docker compose -p ${project} --env-file \\S+ .*--profile partitioned up --detach --wait`),
    );
    expect(system).toMatchObject({ id: project, topology: 'partitioned', mode: 'kafka', cdc: 'debezium' });
    expect(new URL(system.urls.ingest!).port).toBe(environment.INGEST_PORT);
  });

  test('webhooks sent to the gateway’s published port reach ClickHouse, and the audit is clean', async () => {
    const sent = JSON.parse((await lab('send', '--run', project, '--count', String(webhooks), '--json')).stdout);
    // The API, which takes webhooks too, would have answered `applied`.
    expect(sent).toMatchObject({ acknowledged: webhooks, verdicts: { accepted: webhooks }, gaveUp: 0, rejected: {} });
    // It waits until Kafka and the outbox are read, and ends with status 1 when anything is missing.
    const audit: AuditResult = JSON.parse((await lab('audit', '--run', project, '--json')).stdout);
    expect(audit.invariants.filter((invariant) => !invariant.ok)).toEqual([]);
    const checked = (id: string) => audit.invariants.find((invariant) => invariant.id === id)!.checked;
    expect(checked('I2')).toBeGreaterThan(webhooks * 0.9);

    const inOutbox = await withClient(system.dsn.admin, async (client) => {
      const { rows } = await client.query('select count(*)::integer as events from outbox');
      return rows[0].events;
    });
    const { username, password, origin } = new URL(system.urls.clickhouse!);
    const answer = await fetch(`${origin}/?query=${encodeURIComponent('select count() from lab.events final')}`, {
      headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
    });
    expect(Number(await answer.text())).toBe(inOutbox);
    expect(inOutbox).toBeGreaterThan(webhooks * 0.9);
    expect(checked('I6')).toBeGreaterThan(inOutbox);
  }, 180_000);

  test('lab down leaves neither container nor volume nor network', async () => {
    const left = async () => {
      const label = ['--filter', `label=com.docker.compose.project=${project}`];
      const lists = [
        ['ps', '-aq'],
        ['volume', 'ls', '-q'],
        ['network', 'ls', '-q'],
      ];
      return Promise.all(
        lists.map(async (list) => (await run('docker', [...list, ...label])).stdout.split('\n').filter(Boolean).length),
      );
    };
    const [containers, volumes, networks] = await left();
    expect([containers! >= 10, volumes! >= 5, networks]).toEqual([true, true, 1]);
    await lab('down', project);
    expect(await left()).toEqual([0, 0, 0]);
  }, 120_000);
});
