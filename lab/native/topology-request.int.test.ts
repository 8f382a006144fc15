import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SystemDescription } from './system.ts';
import { requestTopology, serveTopologyRequest } from './topology-request.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'lab-topology-'));
});
afterEach(() => rm(directory, { recursive: true }));

test('a request is served once', async () => {
  await writeFile(path.join(directory, 'wanted-topology'), 'partitioned');
  const served: string[] = [];
  const serve = async (topology: string) => {
    served.push(topology);
    return { topology } as SystemDescription;
  };
  expect(await serveTopologyRequest(directory, serve)).toEqual({ topology: 'partitioned' });
  expect(await serveTopologyRequest(directory, serve)).toBeUndefined();
  expect(served).toEqual(['partitioned']);
});

test('whoever asked hears why it failed', async () => {
  const asked = requestTopology({ id: 'none', runDirectory: directory } as SystemDescription, 'partitioned');
  asked.catch(() => {});
  const fail = () => Promise.reject(new Error('the port is taken'));
  await expect
    .poll(() => serveTopologyRequest(directory, fail).catch((error) => error.message), { timeout: 5_000 })
    .toBe('the port is taken');
  await expect(asked).rejects.toThrow('did not restart its API as partitioned: the port is taken');
  expect(await readdir(directory)).toEqual(['wanted-topology.failed']);
});
