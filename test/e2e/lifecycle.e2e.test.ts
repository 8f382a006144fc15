import { access, mkdir, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { kafkaLibraries } from '../../runtime/native/kafka/libraries.ts';
import { missingForKafka } from '../../runtime/native/kafka/missing.ts';
import { belongsTo } from '../../runtime/native/leftovers.ts';
import { missingChdb } from '../../runtime/native/missing-chdb.ts';
import { missingCitus } from '../../runtime/native/missing-citus.ts';
import { isAlive, listProcesses } from '../../runtime/native/processes.ts';
import type { SystemDescription } from '../../runtime/system-description.ts';
import { describeIf } from '../skip.ts';
import { type LabCommand, type LabHome, openLabHome } from './lab-home.ts';

let home: LabHome;
const lab = (...commandLine: string[]) => home.lab(...commandLine);
beforeAll(async () => {
  home = await openLabHome();
});
afterEach(() => home.down());
afterAll(() => home.close());

/** Starts a foreground run and waits for its JSON. */
async function upInForeground(...commandLine: string[]): Promise<{ command: LabCommand; run: SystemDescription }> {
  const command = lab('up', ...commandLine, '--json');
  const failed = command.ended.then(({ stderr }) => {
    throw new Error(`lab up ended: ${stderr}`);
  });
  await Promise.race([expect.poll(() => command.output.stdout, { timeout: 60_000 }).toMatch(/\n\}\n$/), failed]);
  failed.catch(() => {});
  return { command, run: JSON.parse(command.output.stdout) };
}

/** Fails unless processes, ports and directory of the run are gone, or go within ten seconds. */
async function expectNothingLeft(run: SystemDescription): Promise<void> {
  const exists = () =>
    access(run.runDirectory).then(
      () => true,
      () => false,
    );
  await expect.poll(exists, { timeout: 10_000 }).toBe(false);
  const left = (await listProcesses()).filter(({ command }) => belongsTo(run.runDirectory, command));
  expect(left).toEqual([]);
  for (const { pid } of run.processes) expect(await isAlive(pid)).toBe(false);
  const brokers = (run.kafka?.brokers ?? []).map((broker) => `kafka://${broker}`);
  const urls = [...Object.values(run.urls), run.dsn.admin, ...run.dsn.replicas, ...brokers];
  for (const url of urls) expect(await isListening(Number(new URL(url).port))).toBe(false);
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

test('up partitioned --detach --json is ready soon, status sees it, down leaves nothing', async () => {
  const before = performance.now();
  const up = await lab('up', 'partitioned', '--detach', '--json').ended;
  expect(up.status, up.stderr).toBe(0);
  // Ten seconds is the promise on a machine with nothing else to do.
  expect(performance.now() - before).toBeLessThan(30_000);
  const run = JSON.parse(up.stdout) as SystemDescription;
  expect(run).toMatchObject({ topology: 'partitioned', mode: 'sync', postgres: { kind: 'embedded' } });
  expect((await fetch(`${run.urls.api}/health/ready`)).status).toBe(200);

  const file = path.join(run.runDirectory, 'run.json');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(run);

  const status = await lab('status', '--json').ended;
  expect(status.status, status.stdout).toBe(0);
  expect(JSON.parse(status.stdout).runs).toMatchObject([
    { id: run.id, api: 'ok', rows: { orders: 0, deliveries: 0 }, rates: { webhooksPerSecond: 0 } },
  ]);

  const down = await lab('down', '--json').ended;
  expect(JSON.parse(down.stdout)).toEqual({ stopped: [run.id], swept: [] });
  expect(await isAlive(run.supervisorPid)).toBe(false);
  await expectNothingLeft(run);
});

test('replicated: reads have a replica, and Ctrl-C in the foreground leaves nothing', async () => {
  const { command, run } = await upInForeground('replicated');
  expect(run.dsn.replicas).toHaveLength(1);
  const pipeline = missingChdb() ? [] : ['clickhouse', 'cdc'];
  expect(run.processes.map(({ name }) => name).sort()).toEqual(
    ['primary', 'replica_1', 'provider', 'api', 'payments', ...pipeline].sort(),
  );
  command.child.kill('SIGINT');
  expect(await command.ended).toMatchObject({ status: 0, signal: null });
  await expectNothingLeft(run);
});

test('kill -9 of the supervisor leaves nothing', async () => {
  const { command, run } = await upInForeground('plain');
  expect(run.supervisorPid).toBe(command.child.pid);
  command.child.kill('SIGKILL');
  await expectNothingLeft(run);
});

test('SIGINT while it starts leaves nothing', async () => {
  const command = lab('up', 'plain', '--cdc', 'off');
  await expect.poll(() => command.output.stderr, { timeout: 30_000 }).toContain('migrating');
  command.child.kill('SIGINT');
  expect((await command.ended).status).toBe(130);
  expect(await home.runs()).toEqual([]);
});

test('a failed start says why, ends with status 1 and leaves nothing', async () => {
  const starts = [[], ['--detach']].map((detach) =>
    lab('up', 'plain', '--cdc', 'off', '--setting', 'shared_buffers=plenty', ...detach),
  );
  for (const { status, stdout, stderr } of await Promise.all(starts.map(({ ended }) => ended))) {
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('invalid value for parameter "shared_buffers"');
  }
  expect(await home.runs()).toEqual([]);
});

test('two systems run side by side, a third gets no port of theirs, and down wants to know which', async () => {
  const [one, other] = await Promise.all(
    [1, 2].map(() => lab('up', 'plain', '--cdc', 'off', '--detach', '--json').ended),
  );
  const runs = [one!, other!].map(({ stdout }) => JSON.parse(stdout) as SystemDescription);
  expect(runs[0]!.urls.api).not.toBe(runs[1]!.urls.api);
  const third = await lab('up', 'plain', '--cdc', 'off', '--api-port', new URL(runs[0]!.urls.api).port).ended;
  expect(third.status).toBe(1);
  expect(third.stderr).toMatch(/^lab: --api-port \d+ is taken/);
  expect((await home.runs()).sort()).toEqual(runs.map(({ id }) => `run-${id}`).sort());
  expect((await lab('down').ended).status).toBe(2);
  expect((await lab('down', runs[0]!.id).ended).status).toBe(0);
  await expectNothingLeft(runs[0]!);
  expect((await fetch(`${runs[1]!.urls.api}/health/live`)).status).toBe(200);
});

test('on an older Node the package’s own takes over, and stops all when the older one is killed', async () => {
  const bin = fileURLToPath(new URL('../../lab/bin.js', import.meta.url));
  const pretend = "Object.defineProperty(process.versions, 'node', { value: '20.1.0' })";
  const { child, output } = home.start(
    process.execPath,
    '--import',
    `data:text/javascript,${pretend}`,
    bin,
    'up',
    'plain',
    '--cdc',
    'off',
    '--json',
  );
  await expect.poll(() => output.stdout, { timeout: 60_000 }).toMatch(/\n\}\n$/);
  const run = JSON.parse(output.stdout) as SystemDescription;
  expect(run.supervisorPid).not.toBe(child.pid);
  child.kill('SIGKILL');
  await expect.poll(() => isAlive(run.supervisorPid), { timeout: 15_000 }).toBe(false);
  await expectNothingLeft(run);
});

const noCitus = await missingCitus();

test('doctor finds what a start needs, as JSON', async () => {
  const { status, stdout } = await lab('doctor', '--json').ended;
  const { parts, topologies } = JSON.parse(stdout);
  expect(status).toBe(0);
  expect([...topologies].sort()).toEqual([...(noCitus ? [] : ['citus']), 'partitioned', 'plain', 'replicated']);
  for (const part of parts) {
    expect(part).toMatchObject({ name: expect.any(String), adds: expect.any(String), install: expect.any(String) });
  }
});

test.each([
  ['--mode', 'kafka'],
  ['--cdc', 'debezium'],
])('%s %s without Java ends with status 3, says what is missing, and starts nothing', async (...flags) => {
  const { status, stderr } = await home.labWith({ PATH: home.path }, 'up', 'plain', ...flags).ended;
  expect(status).toBe(3);
  expect(stderr).toMatch(/Java 17.*(--mode sync|--cdc off)/s);
  expect(await home.runs()).toEqual([]);
});

describeIf('the whole pipeline', (await missingForKafka()) ?? missingChdb(), () => {
  const cache = (): string => path.join(home.path, 'cache');
  const isArchive = (name: string): boolean => name.includes('-java-');

  beforeAll(async () => {
    // Libraries that were fetched before are not fetched again for this home; only their place differs.
    const fetched = path.dirname(await kafkaLibraries());
    await mkdir(cache());
    for (const name of await readdir(fetched)) {
      if (!isArchive(name)) await symlink(path.join(fetched, name), path.join(cache(), name));
    }
  }, 300_000);

  test('partitioned --mode kafka --cdc debezium is ready, takes webhooks at the gateway, and down leaves nothing', async () => {
    const before = performance.now();
    const up = await lab('up', 'partitioned', '--mode', 'kafka', '--cdc', 'debezium', '--detach', '--json').ended;
    expect(up.status, up.stderr).toBe(0);
    // Half a minute is the promise on a machine with nothing else to do.
    expect(performance.now() - before).toBeLessThan(90_000);
    const run = JSON.parse(up.stdout) as SystemDescription;
    expect(run).toMatchObject({ mode: 'kafka', cdc: 'debezium', kafka: { brokers: [expect.any(String)] } });
    const ready = await Promise.all(
      [run.urls.ingest, run.urls.api, run.urls.cdc].map((url) => fetch(`${url}/health/ready`)),
    );
    expect(ready.map(({ status }) => status)).toEqual([200, 200, 200]);
    const sent = await lab('send', '--count', '500', '--json').ended;
    expect(JSON.parse(sent.stdout)).toMatchObject({ ok: true, url: run.urls.ingest, verdicts: { accepted: 500 } });
    const audit = await lab('audit', '--json').ended;
    expect(audit.status, audit.stdout).toBe(0);
    expect((await lab('down').ended).status).toBe(0);
    await expectNothingLeft(run);
    // The first system of a machine leaves what makes later starts of Kafka and Connect cheaper.
    const archives = (await readdir(cache())).filter(isArchive).sort();
    expect(archives).toEqual([expect.stringMatching(/-broker$/), expect.stringMatching(/-connect$/)]);
  }, 240_000);

  test('kill -9 of the supervisor leaves no broker, no ClickHouse and no gateway', async () => {
    const { command, run } = await upInForeground('plain', '--mode', 'kafka', '--cdc', 'native');
    expect(run.processes.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['kafka', 'clickhouse', 'ingest', 'cdc']),
    );
    command.child.kill('SIGKILL');
    await expectNothingLeft(run);
  });

  test('SIGINT while the broker starts leaves nothing', async () => {
    const command = lab('up', 'plain', '--mode', 'kafka');
    await expect.poll(() => command.output.stderr, { timeout: 30_000 }).toContain('starting Kafka');
    command.child.kill('SIGINT');
    expect((await command.ended).status).toBe(130);
    expect(await home.runs()).toEqual([]);
  });
});
