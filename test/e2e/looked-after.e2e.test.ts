import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { withClient } from '../../kernel/postgres/with-client.ts';
import type { RunStatus } from '../../operations/status/run-status.ts';
import { isAlive } from '../../runtime/native/processes.ts';
import type { ProcessDescription, SystemDescription } from '../../runtime/system-description.ts';
import { type LabHome, openLabHome } from './lab-home.ts';

let home: LabHome;
const lab = (...commandLine: string[]) => home.lab(...commandLine).ended;
beforeAll(async () => {
  home = await openLabHome();
});
afterEach(() => home.down());
afterAll(() => home.close());

async function up(...commandLine: string[]): Promise<SystemDescription> {
  const { status, stdout, stderr } = await lab('up', ...commandLine, '--cdc', 'off', '--detach', '--json');
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

async function described({ runDirectory }: SystemDescription): Promise<SystemDescription> {
  return JSON.parse(await readFile(path.join(runDirectory, 'run.json'), 'utf8'));
}

async function partOf(run: SystemDescription, name: string): Promise<ProcessDescription> {
  return (await described(run)).processes.find((one) => one.name === name)!;
}

async function statusOf({ id }: SystemDescription): Promise<{ exit: number | null; run: RunStatus }> {
  const { status, stdout } = await lab('status', '--json');
  const { runs } = JSON.parse(stdout) as { runs: RunStatus[] };
  return { exit: status, run: runs.find((one) => one.id === id)! };
}

/** Kills the process and waits until the supervisor has dealt with it. */
async function kill(run: SystemDescription, name: string): Promise<ProcessDescription> {
  const { pid } = await partOf(run, name);
  process.kill(pid, 'SIGKILL');
  const dealtWith = async () => {
    const part = await partOf(run, name);
    return part.state === 'down' || (part.state === 'running' && part.pid !== pid);
  };
  await expect.poll(dealtWith, { timeout: 60_000 }).toBe(true);
  return partOf(run, name);
}

test('a part that dies is started again in its place, too often and it stays down, and status says why', async () => {
  const run = await up('plain');
  for (const name of ['primary', 'api']) {
    expect(await kill(run, name)).toMatchObject({ state: 'running', restarts: 1 });
  }
  expect((await fetch(`${run.urls.api}/health/ready`)).status).toBe(200);
  for (let end = 1; end <= 4; end += 1) {
    expect(await kill(run, 'provider')).toMatchObject({ state: 'running', restarts: end });
  }
  expect(await kill(run, 'provider')).toMatchObject({ state: 'down', ends: Array(5).fill('signal SIGKILL') });
  const { status, stdout } = await lab('status');
  expect(status).toBe(1);
  expect(stdout).toMatch(/primary \d+ \(started again once\)/);
  expect(stdout).toContain('provider DOWN (started again 4 times)');
  expect(stdout).toContain('ended 5 times within a minute, with signal SIGKILL; lab restart provider starts it');

  const mended = await lab('restart', 'provider', '--json');
  expect(mended.status, mended.stderr).toBe(0);
  expect((await fetch(`${run.urls.provider}/health/ready`)).status).toBe(200);
  expect((await statusOf(run)).exit).toBe(0);
  const unknown = await lab('restart', 'coffee');
  expect(unknown).toMatchObject({ status: 2, stderr: expect.stringContaining('There is no part coffee') });
});

test('with --no-restart a part that dies is left as it is', async () => {
  const run = await up('plain', '--no-restart');
  const part = await kill(run, 'api');
  expect(part).toMatchObject({ state: 'down', restarts: 0, ends: ['signal SIGKILL'] });
  expect(await isAlive(part.pid)).toBe(false);
  expect((await lab('status')).stdout).toContain('api DOWN');
});

test('a synchronous replica that is stopped stays stopped, holds no audit up, and is taken back', async () => {
  const run = await up('replicated', '--sync');
  expect((await lab('send', '--count', '200')).status).toBe(0);
  const stopped = await lab('stop', 'replica_1', '--json');
  expect(JSON.parse(stopped.stdout).processes).toContainEqual(
    expect.objectContaining({ name: 'replica_1', state: 'stopped' }),
  );
  const audit = await lab('audit', '--json');
  expect(audit.status, audit.stdout + audit.stderr).toBe(0);
  expect(JSON.parse(audit.stdout).invariants.find(({ id }: { id: string }) => id === 'I2').checked).toBeGreaterThan(
    100,
  );
  expect((await lab('stop', 'provider')).status).toBe(0);
  const unsure = await lab('audit');
  expect(unsure.status).toBe(1);
  expect(unsure.stdout).toMatch(/\? {2}I4 .*could not be checked: the provider’s books/);
  expect(unsure.stdout).toContain('INCOMPLETE');
  expect(await partOf(run, 'replica_1')).toMatchObject({ state: 'stopped', restarts: 0 });
  expect((await statusOf(run)).exit).toBe(1);
  for (const name of ['replica_1', 'provider']) expect((await lab('restart', name)).status).toBe(0);
  expect((await lab('send', '--count', '200')).status).toBe(0);
}, 240_000);

test('promote fences the primary under load, everything follows the new one, and the old one becomes its replica', async () => {
  const run = await up('replicated', '--replicas', '2', '--sync');
  const load = lab('send', '--count', '1200', '--rate', '150', '--json');
  await expect.poll(async () => (await statusOf(run)).run.rows?.deliveries, { timeout: 30_000 }).toBeGreaterThan(50);
  const wrong = await lab('promote', 'replica_3');
  expect(wrong).toMatchObject({ status: 1, stderr: expect.stringContaining('Choose one of replica_1, replica_2') });
  const promoted = await lab('promote', 'replica_2', '--rebuild', '--json');
  expect(promoted.status, promoted.stderr).toBe(0);
  const { primary, processes } = JSON.parse(promoted.stdout);
  expect(primary).toMatch(/^replica_[12]$/);
  expect(processes.find(({ name }: ProcessDescription) => name === 'primary')).toMatchObject({ state: 'running' });
  const sent = await load;
  expect(sent.status, sent.stdout + sent.stderr).toBe(0);
  expect(JSON.parse(sent.stdout)).toMatchObject({ ok: true, acknowledged: 1200 });

  const { dsn } = await described(run);
  expect(dsn.admin).not.toBe(run.dsn.admin);
  const standby = await withClient(run.dsn.admin, (client) => client.query('select pg_is_in_recovery() as is'));
  expect(standby.rows).toEqual([{ is: true }]);
  const { exit, run: status } = await statusOf(run);
  expect({ exit, primary: status.primary }).toEqual({ exit: 0, primary });
  const others = ['primary', 'replica_1', 'replica_2'].filter((name) => name !== primary);
  expect(status.replication.map(({ replica, synchronous }) => [replica, synchronous])).toEqual(
    others.map((name) => [name, true]),
  );
  const audit = await lab('audit', '--json');
  expect(audit.status, audit.stdout).toBe(0);

  // The second time without rebuilding: the former primary stays fenced, and is no part that a restart brings back.
  expect((await lab('promote', 'primary')).status).toBe(0);
  expect(await partOf(run, primary)).toMatchObject({ state: 'fenced' });
  expect(await lab('restart', primary)).toMatchObject({ status: 2, stderr: expect.stringContaining('lab rebuild') });
  expect((await lab('rebuild', primary)).status).toBe(0);
  expect(await partOf(run, primary)).toMatchObject({ state: 'running' });
}, 240_000);
