import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Child } from './child.ts';
import { type ChildPart, createPart } from './part.ts';
import { PartWatch } from './supervisor-watch.ts';

let runDirectory: string;
let watch: PartWatch;
let nowMs: number;
let pauses: number[];
let told: string[];
let changes: number;
beforeEach(async () => {
  runDirectory = await mkdtemp(path.join(os.tmpdir(), 'lab-watch-'));
  nowMs = 0;
  pauses = [];
  told = [];
  changes = 0;
});
afterEach(async () => {
  watch.close();
  await rm(runDirectory, { recursive: true });
});

function startWatch(parts: readonly ChildPart[], restarts = true): void {
  watch = new PartWatch({
    runDirectory,
    parts: () => parts,
    restarts,
    onChange: async () => {
      changes += 1;
    },
    progress: (line) => told.push(line),
    clock: () => nowMs,
    pause: async (ms) => void pauses.push(ms),
  });
}

interface FakePart extends ChildPart {
  /** How many processes it has had. */
  readonly starts: number;
  die(how?: string): void;
  /** The next starts fail with this, until it is taken back. */
  failWith(message: string | undefined): void;
}

function fakePart(name: string, finalEnd?: string): FakePart {
  let pid = 100;
  let failure: string | undefined;
  let ended: { how: string | undefined };
  const startChild = (): Child => {
    pid += 1;
    const own: { how: string | undefined } = { how: undefined };
    ended = own;
    const child = {
      pid,
      get ended() {
        return own.how;
      },
      listeningPort: undefined,
      writesAtItsEnd: false,
      kill: () => {},
      stop: async () => {
        own.how ??= 'signal SIGTERM';
      },
    };
    return child;
  };
  const start = async (): Promise<Child> => {
    if (failure !== undefined) throw new Error(failure);
    return startChild();
  };
  const part = createPart({ name, child: startChild(), start, stopSteps: [], finalEnd });
  return Object.defineProperties(part, {
    starts: { get: () => pid - 100 },
    die: { value: (how = 'signal SIGKILL') => (ended.how = how) },
    failWith: { value: (message: string | undefined) => (failure = message) },
  }) as FakePart;
}

const becomes = (part: ChildPart, state: string) =>
  vi.waitFor(() => expect(watch.describe(part).state).toBe(state), { timeout: 10_000, interval: 5 });

async function dieAndReturn(part: FakePart): Promise<void> {
  const before = part.starts;
  part.die();
  await vi.waitFor(() => expect(part.starts).toBe(before + 1), { timeout: 10_000, interval: 5 });
  await becomes(part, 'running');
}

test('a part that dies is started again at once, and the others are left alone', async () => {
  const [api, cdc] = [fakePart('api'), fakePart('cdc')];
  startWatch([api, cdc]);
  await dieAndReturn(api);
  expect(watch.describe(api)).toEqual({ name: 'api', pid: 102, state: 'running', restarts: 1 });
  expect({ starts: cdc.starts, pauses, told }).toEqual({
    starts: 1,
    pauses: [0],
    told: ['api (101) has ended: signal SIGKILL; it is started again'],
  });
  expect(changes).toBe(2);
});

test('pauses grow, and after the fifth end within a minute it stays down, with its log, until an operator restarts it', async () => {
  await writeFile(path.join(runDirectory, 'api.log'), 'first\nthe disk is full\n');
  const api = fakePart('api');
  startWatch([api]);
  for (let end = 1; end <= 4; end += 1) await dieAndReturn(api);
  api.die('exit status 1');
  await becomes(api, 'down');
  expect(pauses).toEqual([0, 500, 1_000, 2_000]);
  expect(watch.describe(api)).toMatchObject({
    restarts: 4,
    ends: [...Array(4).fill('signal SIGKILL'), 'exit status 1'],
    log: 'first\nthe disk is full',
  });
  expect(told.at(-1)).toContain('it stays down; its log: ');

  await watch.restart('api');
  expect(watch.describe(api)).toEqual({ name: 'api', pid: 106, state: 'running', restarts: 0 });
  await dieAndReturn(api);
});

test('ends that are older than a minute count no more', async () => {
  const api = fakePart('api');
  startWatch([api]);
  for (let end = 1; end <= 12; end += 1) {
    await dieAndReturn(api);
    nowMs += 20_000;
  }
  expect(watch.describe(api)).toMatchObject({ state: 'running', restarts: 12 });
});

test('a start that fails is an end too', async () => {
  const api = fakePart('api');
  startWatch([api]);
  api.failWith('api did not start: exit status 3\nEnd of its log: …');
  api.die();
  await becomes(api, 'down');
  expect(watch.describe(api).ends).toEqual(['signal SIGKILL', ...Array(4).fill('api did not start: exit status 3')]);
  await expect(watch.restart('api')).rejects.toThrow('api did not start');
  api.failWith(undefined);
  await watch.restart('api');
  await becomes(api, 'running');
});

test('an end that is final is not repeated', async () => {
  const cdc = fakePart('cdc', 'exit status 4');
  startWatch([cdc]);
  await dieAndReturn(cdc);
  cdc.die('exit status 4');
  await becomes(cdc, 'down');
  expect(cdc.starts).toBe(2);
});

test('a part that an operator has stopped stays stopped until it is restarted', async () => {
  const [api, cdc] = [fakePart('api'), fakePart('cdc')];
  startWatch([api, cdc]);
  await watch.stop('api');
  // The watch has looked at both by the time that the other one is back.
  await dieAndReturn(cdc);
  expect(watch.describe(api)).toEqual({ name: 'api', pid: 101, state: 'stopped', restarts: 0 });
  await watch.restart('api');
  expect(watch.describe(api)).toMatchObject({ pid: 102, state: 'running' });
  await expect(watch.stop('apo')).rejects.toThrow('there is no part apo. Choose one of api, cdc.');
});

test('without restarts an end is reported once, and the caller may start the part again', async () => {
  const api = fakePart('api');
  startWatch([api], false);
  api.die();
  await becomes(api, 'down');
  expect(told).toEqual([`api (101) has ended: signal SIGKILL; its log: ${path.join(runDirectory, 'api.log')}`]);
  await api.restart();
  expect(watch.describe(api)).toMatchObject({ pid: 102, state: 'running' });
  expect(told).toHaveLength(1);
});

test('once it is closed nothing is started again', async () => {
  const [api, cdc] = [fakePart('api'), fakePart('cdc')];
  startWatch([api]);
  watch.close();
  api.die();
  // A watch that began later has done its work.
  startWatch([cdc]);
  await dieAndReturn(cdc);
  expect(api.starts).toBe(1);
});
