import { access } from 'node:fs/promises';
import { afterAll, expect, test } from 'vitest';
import { createComparison } from '../../benchmarks/compare/comparison.ts';
import { renderReport } from '../../benchmarks/report/render.ts';
import type { BenchRun } from '../../benchmarks/runner/run.ts';
import { ingest } from '../../benchmarks/scenarios/ingest/ingest.ts';
import { timeline } from '../../benchmarks/scenarios/timeline/timeline.ts';
import type { RunDocument } from '../../benchmarks/schema/run.ts';
import { turnsOf } from '../../benchmarks/schema/turn.ts';
import { checkRunDocument } from '../../benchmarks/schema/validate.ts';
import { missingCitus } from '../../runtime/native/missing-citus.ts';
import { isAlive } from '../../runtime/native/processes.ts';
import { listRuns } from '../../runtime/native/run-directory.ts';

let run: BenchRun<RunDocument> | undefined;
afterAll(() => run?.close());

test('a small comparison of all native topologies is measured, audited, reported and cleaned up', async () => {
  run = createComparison({
    command: 'test',
    topologies: ['plain', 'replicated', 'citus'],
    control: 'plain',
    scenarios: [ingest, timeline],
    rounds: 1,
    seed: 3,
    scale: 0.1,
    // Speed is not what this test is about: a turn that a busy machine spoils is not worth the time of another.
    repeatForMs: 0,
    signal: new AbortController().signal,
  });
  let running: Awaited<ReturnType<typeof listRuns>> = [];
  for (const step of run.steps) {
    await step.run(() => {});
    if (step.title === 'audit') running = (await listRuns()).filter((entry) => entry.supervisorPid === process.pid);
  }
  const document = await checkRunDocument(JSON.parse(JSON.stringify(run.document())));
  const hasCitus = (await missingCitus()) === undefined;
  const arms = ['plain', 'replicated', ...(hasCitus ? ['citus'] : [])];
  expect(document.arms.map(({ name }) => name)).toEqual(arms);
  expect(document.absent).toEqual([
    hasCitus
      ? { name: 'timeline on citus', reason: expect.any(String) }
      : { name: 'citus', reason: expect.stringMatching(/^Missing here: .* Remedy: install Citus/) },
    { name: 'partitioned', reason: 'not asked for' },
  ]);

  for (const arm of document.arms) {
    expect(arm.audit).toMatchObject({ ok: true });
    const checked = Object.fromEntries(arm.audit!.invariants.map(({ id, checked }) => [id, checked]));
    expect(checked.I2).toBeGreaterThan(100);
    expect(checked.I8).toBeGreaterThan(10);
    expect(arm.dataset.deliveries).toBeGreaterThan(100);
    // A cluster's coordinator only passes statements on, and has not the extension.
    expect(arm.topStatements.length > 0).toBe(arm.name !== 'citus');
    if (arm.name === 'citus') expect(arm.memory).toBe('3 servers with 85 MB shared buffers each');
  }
  const turns = turnsOf(ingest.turn, document.measurements).filter(({ data }) => data !== null);
  // The control has two turns in each round.
  expect(turns.map(({ arm }) => arm).toSorted()).toEqual([...arms, 'plain again'].toSorted());
  for (const { data, arm } of turns) {
    expect(data!.peak.rate).toBeGreaterThan(50);
    expect(data!.peak.walBytes).toBeGreaterThan(data!.peak.acknowledged * 500);
    expect(data!.peak.cpuSeconds.api).toBeGreaterThan(0);
    expect(data!.peak.cpuSeconds.postgres).toBeGreaterThan(0);
    expect(data!.lag.length > 0).toBe(arm === 'replicated');
  }
  const ranges = turnsOf(timeline.turn, document.measurements).find(({ arm }) => arm === 'replicated');
  expect(ranges).toMatchObject({ data: { node: 'replica' } });
  // A report draws nothing of a turn that a busy machine has spoilt.
  for (const entry of document.measurements) if (entry.data) entry.verdict = 'VALID';
  expect(await renderReport([document])).toContain('Replica lag over time');

  expect(running).toHaveLength(arms.length);
  await run.close();
  for (const { runDirectory, processes } of running) {
    await expect(access(runDirectory)).rejects.toThrow();
    for (const { pid } of processes) expect(await isAlive(pid)).toBe(false);
  }
}, 180_000);
