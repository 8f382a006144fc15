import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, chown, cp, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { embeddedInstallation } from './embedded.ts';
import { belongsTo } from './leftovers.ts';
import { isAlive, listProcesses } from './processes.ts';
import { canEnter } from './readable.ts';
import { runsRoot } from './runs-root.ts';
import { findServerUser, type ServerUser, spawnAs } from './server-user.ts';

const program = fileURLToPath(new URL('../../test/postgres/hold-server.ts', import.meta.url));

let home: string;
let started: ChildProcess[];
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'lab-home-'));
  await chmod(home, 0o755);
  started = [];
});
afterEach(async () => {
  for (const child of started) child.kill('SIGKILL');
  await rm(home, { recursive: true, force: true });
});

interface Held {
  child: ChildProcess;
  runDirectory: string;
  pid: number;
  port: number;
}

async function hold(options: { user?: ServerUser; temporary?: boolean } = {}): Promise<Held> {
  const child = spawn(process.execPath, [program], {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', ...(options.temporary ? { TMPDIR: home } : { LAB_HOME: home }) },
    stdio: ['ignore', 'pipe', 'inherit'],
    ...spawnAs(options.user),
  });
  started.push(child);
  const [line] = await once(createInterface({ input: child.stdout! }), 'line');
  return { child, ...JSON.parse(line) };
}

const exists = (file: string) =>
  access(file).then(
    () => true,
    () => false,
  );
const processesOf = async (directory: string) =>
  (await listProcesses()).filter(({ command }) => belongsTo(directory, command));
const guardOf = async (directory: string) =>
  (await listProcesses()).find(({ command }) => /guard\.ts /.test(command) && command.endsWith(directory));

test('after kill -9 of the supervisor neither server nor directory is left', async () => {
  const { child, runDirectory, pid } = await hold();
  expect((await processesOf(runDirectory)).length).toBeGreaterThan(3);
  child.kill('SIGKILL');
  await expect.poll(() => exists(runDirectory), { timeout: 10_000 }).toBe(false);
  expect(await processesOf(runDirectory)).toEqual([]);
  expect(await isAlive(pid)).toBe(false);
  await expect.poll(() => guardOf(runDirectory)).toBeUndefined();
});

test('a server that is stopped (SIGSTOP) does not survive its supervisor either', async () => {
  const { child, runDirectory, pid } = await hold();
  process.kill(pid, 'SIGSTOP');
  child.kill('SIGKILL');
  await expect.poll(() => exists(runDirectory), { timeout: 10_000 }).toBe(false);
  expect(await processesOf(runDirectory)).toEqual([]);
});

test('when supervisor and guard are both killed, the next start sweeps', async () => {
  const dead = await hold();
  process.kill((await guardOf(dead.runDirectory))!.pid, 'SIGKILL');
  dead.child.kill('SIGKILL');
  await once(dead.child, 'exit');
  expect(await isAlive(dead.pid)).toBe(true);
  const next = await hold();
  expect(await exists(dead.runDirectory)).toBe(false);
  expect(await isAlive(dead.pid)).toBe(false);
  expect(await isAlive(next.pid)).toBe(true);
});

test('a run is not swept while its supervisor lives', async () => {
  const [one, other] = [await hold(), await hold()];
  expect(await Promise.all([one, other].map(({ pid }) => isAlive(pid)))).toEqual([true, true]);
  expect(one.port).not.toBe(other.port);
});

test('a failed start leaves nothing', async () => {
  const child = spawn(process.execPath, [program, 'shared_buffers=plenty'], { env: { LAB_HOME: home } });
  const [status] = await once(child, 'exit');
  expect(status).toBe(1);
  expect(await readdir(home)).toEqual([]);
});

test.each(['/proc/nowhere', '/proc/nowhere/deeper', '/etc/passwd/lab'])('LAB_HOME=%s fails at once', async (place) => {
  await expect(runsRoot({ LAB_HOME: place })).rejects.toThrow(
    /^No directory for runs: .* Set LAB_HOME to another place/,
  );
});

const root = process.getuid?.() === 0;

test.skipIf(!root)(
  'as root, servers run as another user who can read neither secrets nor our files (needs root)',
  async () => {
    const user = (await findServerUser())!;
    const { runDirectory, pid } = await hold();
    expect((await stat(`/proc/${pid}`)).uid).toBe(user.uid);
    expect((await stat(path.join(runDirectory, 'owner.json'))).mode & 0o077).toBe(0);
  },
);

test.skipIf(!root)('a directory that another user made in the place of ours is refused (needs root)', async () => {
  const user = (await findServerUser())!;
  const taken = path.join(home, 'payments-lab-0');
  await mkdir(taken);
  await chown(taken, user.uid, user.gid);
  const child = spawn(process.execPath, [program], { env: { TMPDIR: home } });
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  await once(child, 'exit');
  expect(complaint).toContain('is not a directory of your own');
});

test.skipIf(!root)('an ordinary user starts a server too (needs root to become one)', async (context) => {
  const user = (await findServerUser())!;
  const readable = (await canEnter(user, path.dirname(program))) && (await canEnter(user, process.execPath));
  context.skip(!readable, `${user.name} can't read this checkout`);
  await chmod(home, 0o777);
  const { runDirectory, pid, child } = await hold({ user, temporary: true });
  expect(runDirectory).toContain(`payments-lab-${user.uid}`);
  expect((await stat(`/proc/${pid}`)).uid).toBe(user.uid);
  child.kill('SIGKILL');
  await expect.poll(() => exists(runDirectory), { timeout: 10_000 }).toBe(false);
});

test.skipIf(!root)(
  "programs in a directory that the server's user can't enter are copied once (needs root)",
  async () => {
    const user = (await findServerUser())!;
    vi.stubEnv('LAB_HOME', home);
    const hidden = await mkdtemp(path.join(os.tmpdir(), 'hidden-'));
    try {
      const { binDirectory } = await embeddedInstallation(undefined);
      const native = path.join(hidden, 'native');
      await cp(path.dirname(binDirectory), native, { recursive: true, verbatimSymlinks: true });
      const [one, other] = await Promise.all(
        [1, 2].map(() => embeddedInstallation(user, { native, packageVersion: '18.4.0-test' })),
      );
      expect(one!.binDirectory).toContain(path.join(home, 'cache', 'postgres-18.4.0-test'));
      expect(other).toEqual(one);
      expect(await readdir(path.join(home, 'cache'))).toHaveLength(1);
      const { stdout } = await promisify(execFile)(path.join(one!.binDirectory, 'postgres'), ['--version'], {
        cwd: '/',
        ...spawnAs(user),
      });
      expect(stdout).toContain('18.4');
    } finally {
      vi.unstubAllEnvs();
      await rm(hidden, { recursive: true });
    }
  },
);
