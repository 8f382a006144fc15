import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { drillKills } from '../../drills/kills.ts';
import { missingChdb } from '../../runtime/native/missing-chdb.ts';

test('kill -9 of one part after the other: the supervised system recovers by itself each time, and nothing is lost', async () => {
  const root = await mkdtemp(path.join(os.tmpdir(), 'drills-'));
  try {
    const parts = missingChdb() ? 4 : 6;
    const result = await drillKills({
      topology: 'replicated',
      mode: 'sync',
      cdc: missingChdb() ? 'off' : 'native',
      synchronous: true,
      prometheus: false,
      kills: parts,
      rate: 100,
      // The lab promises ten seconds, and not beside other tests.
      limitMs: 60_000,
      seed: 6,
      root,
      progress: () => {},
      signal: new AbortController().signal,
      now: () => new Date(),
      clock: () => performance.now(),
    });
    expect(result.problems).toEqual([]);
    expect(new Set(result.recoveries.map(({ part }) => part)).size).toBe(parts);
    expect(result.audit.invariants.find(({ id }) => id === 'I2')!.checked).toBeGreaterThan(parts * 100);
    const history = await readFile(path.join(result.directory, 'history.jsonl'), 'utf8');
    expect(history.match(/"event":"recovered"/g)).toHaveLength(parts);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}, 300_000);
