import os from 'node:os';
import { createComparison } from '../../benchmarks/compare/comparison.ts';
import { withFreshness } from '../../benchmarks/compare/with-freshness.ts';
import { writeReport } from '../../benchmarks/report/write.ts';
import { type Earlier, earlierHere } from '../../benchmarks/results/history.ts';
import type { BenchRun } from '../../benchmarks/runner/run.ts';
import { topologyScenarios } from '../../benchmarks/scenarios/registry.ts';
import type { RunDocument } from '../../benchmarks/schema/run.ts';
import { capabilities, controlTopology, defaultTopology, topologyNames } from '../../kernel/topology.ts';
import { printResult } from '../benchmark/print-result.ts';
import { runAndSave } from '../benchmark/run-and-save.ts';
import { print, printJson, progress } from '../output.ts';
import { serveUntilStopped } from './serve.ts';
import { chooseSizes, type TourSizes } from './sizes.ts';

export interface StartFlags {
  interactive: boolean;
  json?: boolean;
}

/** `lab start`, which is `npm start`. */
export async function startCommand(flags: StartFlags): Promise<void> {
  const cores = os.availableParallelism();
  const memory = Math.round(os.totalmem() / 2 ** 30);
  progress(`Payments scaling lab: ${os.type()} ${os.arch()}, ${cores} cores, ${memory} GB, Node ${process.version}.`);
  progress('A quick comparison of every topology that this machine can run; it takes about four minutes.\n');
  let report = '';
  const sizes = await chooseSizes();
  if (sizes.reason) progress(`Less is measured than usual, because ${sizes.reason}.\n`);
  const earlier = await earlierHere(controlTopology);
  const { document, file } = await runAndSave(
    (signal) => tour(signal, earlier, sizes),
    async (result) => {
      report = await writeReport([result]);
      return report;
    },
  );
  if (document.verdict !== 'VALID') process.exitCode = 1;
  if (flags.json) return printJson(document);
  printResult(document, file, report);
  if (!flags.interactive || !process.stdout.isTTY || !process.stdin.isTTY) {
    return print(nextSteps(document.verdict));
  }
  await serveUntilStopped(report);
}

/** What fits into five minutes on two cores. `lab compare` and `lab bench` run the rest. */
function tour(signal: AbortSignal, earlier: Earlier, { scale, pace }: TourSizes): BenchRun<RunDocument> {
  const comparison = createComparison({
    signal,
    earlier,
    command: 'start',
    topologies: topologyNames.filter((name) => capabilities(name).workers === 0),
    leftOut: 'the tour has five minutes; `lab compare` measures it where Citus is installed',
    control: controlTopology,
    scenarios: topologyScenarios.filter(({ inTour }) => inTour),
    rounds: 3,
    seed: 1,
    scale,
    repeatForMs: 180_000,
  });
  return withFreshness(comparison, {
    signal,
    command: 'start',
    topology: defaultTopology,
    pace,
    seed: 1,
    // The whole tour has to end within five minutes, on two cores that others use as well.
    beginWithinMs: { native: 268_000, debezium: 245_000 },
  });
}

const nextSteps = (verdict: RunDocument['verdict']) => `
What to do next:${verdict === 'VALID' ? '' : '\n  npm start                     again, while nothing else keeps this machine busy: this run does not count'}
  npx lab up partitioned        a live system; then, in another terminal: npx lab send, npx lab audit, npx lab status
  npx lab compare               more and longer rounds, narrower intervals (a quarter of an hour)
  npx lab report --open         the report in your browser
  npx lab doctor                what else this machine could run`;
