import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SystemDescription } from '../system-description.ts';
import { requestStep, serveRequest } from './supervisor-request.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'lab-request-'));
});
afterEach(() => rm(directory, { recursive: true }));

const run = () => ({ id: 'none', runDirectory: directory, supervisorPid: process.pid }) as SystemDescription;

test('a request is served once, and whoever asked hears of it', async () => {
  const asked = requestStep(run(), 'topology partitioned', 5_000);
  const served: string[] = [];
  const serve = async (step: string) => {
    served.push(step);
    return run();
  };
  await expect.poll(() => serveRequest(directory, serve), { timeout: 5_000 }).toEqual(run());
  await asked;
  expect(await serveRequest(directory, serve)).toBeUndefined();
  expect(served).toEqual(['topology partitioned']);
  expect(await readdir(directory)).toEqual([]);
});

test('whoever asked hears why it failed', async () => {
  const asked = requestStep(run(), 'start cluster', 5_000);
  asked.catch(() => {});
  const fail = () => Promise.reject(new Error('the port is taken'));
  await expect
    .poll(() => serveRequest(directory, fail).catch((error) => error.message), { timeout: 5_000 })
    .toBe('the port is taken');
  await expect(asked).rejects.toThrow('Run none, start cluster: the port is taken');
});

test('an answer to somebody who asked before is not taken for one’s own', async () => {
  const first = requestStep(run(), 'restart cdc', 200);
  await expect(first).rejects.toThrow('no answer within 0.2 s');
  const second = requestStep(run(), 'end conversion', 5_000);
  await expect.poll(() => serveRequest(directory, async () => run()), { timeout: 5_000 }).toEqual(run());
  await second;
});

test('without a supervisor nobody waits', async () => {
  const gone = { ...run(), supervisorPid: 2 ** 22 + 1 };
  await expect(requestStep(gone, 'start cluster')).rejects.toThrow('its supervisor has ended');
});
