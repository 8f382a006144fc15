import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditRun } from '../../audit/audit.ts';
import { reads } from '../../benchmarks/scenarios/reads/reads.ts';
import { type RunningSystem, startSystem } from '../../runtime/native/system.ts';

let system: RunningSystem;
beforeAll(async () => {
  system = await startSystem({ topology: 'replicated' });
});
afterAll(() => system.stop());

test('with a lagging replica naive reads are stale, and a session that sends its token sees its writes', async () => {
  const recordFile = path.join(system.runDirectory, 'records', 'reads.jsonl');
  const session = await reads.open(
    { name: 'replicated', topology: 'replicated', system, recordFile },
    {
      seed: 3,
      run: 'e2e',
      startTimeMs: Date.now(),
      scale: 0.05,
      progress: () => {},
      signal: new AbortController().signal,
    },
  );
  const data = await session.measure(1);
  await session.close();
  expect(reads.judge(data)).toEqual([]);
  const of = (name: string) => data.policies.find(({ policy }) => policy === name)!;
  expect(data.policies.map(({ policy }) => policy).toSorted()).toEqual(['lsn_floor', 'naive', 'sticky', 'wait']);
  expect(of('naive')).toMatchObject({ replicaShare: 1 });
  expect(of('naive').stale).toBeGreaterThan(0);
  expect(of('lsn_floor').stale).toBe(0);
  expect(of('lsn_floor').reads).toBeGreaterThanOrEqual(1_500);
  expect(of('lsn_floor').replicaShare).toBeGreaterThan(0);
  expect(of('wait')).toMatchObject({ stale: 0 });
  expect(of('wait').replicaShare).toBeGreaterThan(of('sticky').replicaShare);
  // The record holds the reads that must not be stale, and every acknowledged write.
  const audit = await auditRun({ dsn: system.dsn.admin, topology: 'replicated', recordFiles: [recordFile] });
  expect(audit.invariants.filter(({ ok }) => !ok)).toEqual([]);
  expect(audit.invariants.find(({ id }) => id === 'I8')!.checked).toBe(of('lsn_floor').reads + of('wait').reads);
});
