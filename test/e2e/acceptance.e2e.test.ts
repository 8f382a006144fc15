import { expect, test } from 'vitest';
import { takeToEnd } from '../../benchmarks/runner/run.ts';
import { acceptance } from '../../benchmarks/scenarios/acceptance/acceptance.ts';
import { acceptanceDocument } from '../../benchmarks/scenarios/acceptance/document.ts';
import { summaryText } from '../../lab/benchmark/tables.ts';
import { missingForKafka } from '../../runtime/native/kafka/missing.ts';
import { listRuns } from '../../runtime/native/run-directory.ts';
import { describeIf } from '../skip.ts';

describeIf('lab bench acceptance', await missingForKafka(), () => {
  test('both modes are loaded, worked off, audited and cleaned up', async () => {
    const run = await acceptance.createRun({
      command: 'test',
      topology: 'plain',
      rounds: 1,
      seed: 5,
      scale: 0.1,
      signal: new AbortController().signal,
    });
    const document = await takeToEnd(run, () => {});
    expect(acceptanceDocument.parse(JSON.parse(JSON.stringify(document)))).toEqual(document);

    const arms = Object.fromEntries(document.arms.map((arm) => [arm.name, arm]));
    expect(Object.keys(arms)).toEqual(['sync', 'kafka', 'kafka-burst']);
    for (const { name, rounds, cpuUs } of document.arms) {
      expect(rounds).toMatchObject([{ round: 1, drained: true, load: { errors: 0 } }]);
      expect(rounds[0]!.load.acknowledged).toBeGreaterThan(50);
      expect(Object.keys(cpuUs).toSorted()).toEqual(
        ['api', 'generator', 'postgres', ...(name === 'sync' ? [] : ['broker', 'ingest'])].toSorted(),
      );
    }
    // Without consumers the API takes nothing while webhooks are accepted.
    expect(arms['kafka-burst']!.cpuUs.api).toBe(0);
    expect(arms.kafka!.cpuUs.api).toBeGreaterThan(0);

    const { audits, ratios, target } = document;
    expect(audits.map(({ mode, ok }) => [mode, ok])).toEqual([
      ['sync', true],
      ['kafka', true],
    ]);
    const accepted = (names: string[]) =>
      names.reduce((sum, name) => sum + arms[name]!.rounds[0]!.load.acknowledged, 0);
    // Of every round and of the warm-up each acknowledged webhook was looked up; duplicates stand there once.
    expect(audits[0]!.acknowledged).toBeGreaterThan(accepted(['sync']) * 0.9);
    expect(audits[1]!.acknowledged).toBeGreaterThan(accepted(['kafka', 'kafka-burst']) * 0.9);
    expect(target.met).toBe(ratios.concurrent.ratio >= 1);
    expect(summaryText(acceptance.summarize(document))).toMatch(/^kafka-burst\s+\d+\s+\d+\.\d\d \(/m);
    expect((await listRuns()).filter(({ supervisorPid }) => supervisorPid === process.pid)).toEqual([]);
  }, 180_000);
});
