import { createComparison } from '../../benchmarks/compare/comparison.ts';
import { earlierHere } from '../../benchmarks/results/history.ts';
import { defaultResultsDirectory, loadRun } from '../../benchmarks/results/store.ts';
import type { RunDocument } from '../../benchmarks/schema/run.ts';
import { controlTopology } from '../../kernel/topology.ts';
import { checkPossible, checkScenarios, checkTopologies } from '../benchmark/choices.ts';
import { printResult } from '../benchmark/print-result.ts';
import { runAndSave } from '../benchmark/run-and-save.ts';
import { print, printJson } from '../output.ts';
import { betweenRuns } from './between-runs.ts';

export interface CompareFlags {
  quick?: boolean;
  topologies: string[];
  rounds?: number;
  scale?: number;
  seed: number;
  scenarios: string[];
  baseline?: string;
  /** Comparisons one after the other. */
  repeat?: number;
  json?: boolean;
}

/** `lab compare`. */
export async function compareCommand(flags: CompareFlags): Promise<void> {
  const topologies = checkTopologies(flags.topologies);
  const { rounds = flags.quick ? 3 : 5, scale = flags.quick ? 1 : 3, seed } = flags;
  const scenarios = checkScenarios(flags.scenarios);
  checkPossible(scenarios, topologies);
  const baseline = flags.baseline === undefined ? undefined : await loadRun(defaultResultsDirectory(), flags.baseline);
  const what = `--topologies ${topologies.join(',')} --scenarios ${scenarios.map(({ name }) => name).join(',')}`;
  const command = `compare ${what} --rounds ${rounds} --scale ${scale} --seed ${seed}`;
  const options = { command, topologies, control: controlTopology, scenarios, rounds, seed, scale, baseline };
  const documents: RunDocument[] = [];
  for (let run = 0; run < (flags.repeat ?? 1); run += 1) {
    const earlier = await earlierHere(controlTopology);
    const { document, file } = await runAndSave((signal) => createComparison({ ...options, earlier, signal }));
    documents.push(document);
    if (flags.json) printJson(document);
    else printResult(document, file);
    if (document.verdict !== 'VALID' || document.baseline?.regressions.length) process.exitCode = 1;
  }
  if (documents.length > 1 && !flags.json) print(`\n${betweenRuns(documents).join('\n')}`);
}
