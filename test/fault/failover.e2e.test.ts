import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drillFailover } from '../../drills/failover.ts';
import { drillPitr } from '../../drills/pitr.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'drills-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const rest = {
  postgres: 'embedded',
  progress: () => {},
  signal: new AbortController().signal,
  now: () => new Date(),
  clock: () => performance.now(),
} as const;

test('two promotions with synchronous replicas lose nothing, and the slot is read on without a gap', async () => {
  const result = await drillFailover({
    ...rest,
    root,
    promotions: 2,
    replicas: 2,
    synchronous: true,
    seed: 4,
    rate: 150,
  });
  expect(result.problems).toEqual([]);
  expect(result).toMatchObject({ lostAcknowledged: 0, oldPrimaryAcceptedWrites: 0, slot: { survived: 2, missing: 0 } });
  expect(result.audit.invariants.find(({ id }) => id === 'I2')!.checked).toBeGreaterThan(100);
  expect(result.promotions.map(({ firstAckMs }) => firstAckMs! <= 30_000)).toEqual([true, true]);
  const history = await readFile(path.join(result.directory, 'history.jsonl'), 'utf8');
  expect(history.match(/"event":"promoted"/g)).toHaveLength(2);
  const schedule = JSON.parse(await readFile(path.join(result.directory, 'schedule.json'), 'utf8'));
  expect(schedule).toMatchObject({ seed: 4, schedule: [{ acksBefore: expect.any(Number) }, {}] });
});

test('a backup and the archived WAL lead back to the moment before a mistake', async () => {
  const result = await drillPitr({ ...rest, root, webhooks: 200, seed: 2 });
  expect(result.problems).toEqual([]);
  expect(result.after).not.toEqual(result.before);
  expect(result.restored.map(({ counts }) => counts)).toEqual([result.before, result.before]);
});
