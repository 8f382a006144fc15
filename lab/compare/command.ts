import { createComparison } from '../../benchmarks/compare/comparison.ts';
import { defaultResultsDirectory, loadRun } from '../../benchmarks/results/store.ts';
import { scenarioNames, scenarios } from '../../benchmarks/scenarios/registry.ts';
import type { Scenario, ScenarioName } from '../../benchmarks/scenarios/scenario.ts';
import type { RunDocument } from '../../benchmarks/schema/run.ts';
import { isTopologyName, type TopologyName, topologyNames } from '../../kernel/topology.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { runAndSave } from '../benchmark/run-and-save.ts';
import { comparisonTable, freshnessTable, remarks } from '../benchmark/tables.ts';
import type { CompareFlags } from '../commands/compare.ts';
import { print, printJson } from '../output.ts';

/** `lab compare`. */
export async function compareCommand(flags: CompareFlags): Promise<void> {
  const topologies = checkTopologies(flags.topologies);
  const { rounds = flags.quick ? 3 : 5, scale = flags.quick ? 1 : 3, seed } = flags;
  const scenarios = checkScenarios(flags.scenarios);
  checkPossible(scenarios, topologies);
  const baseline = flags.baseline === undefined ? undefined : await loadRun(defaultResultsDirectory(), flags.baseline);
  const what = `--topologies ${topologies.join(',')} --scenarios ${scenarios.join(',')}`;
  const command = `compare ${what} --rounds ${rounds} --scale ${scale} --seed ${seed}`;
  const { document, file } = await runAndSave((signal) =>
    createComparison({ command, topologies, control: 'plain', scenarios, rounds, seed, scale, baseline, signal }),
  );
  if (flags.json) printJson(document);
  else printResult(document, file);
  if (document.verdict !== 'VALID' || document.baseline?.regressions.length) process.exitCode = 1;
}

/** The result for a reader in a terminal. */
export function printResult(document: RunDocument, file: string, report?: string): void {
  print(`\n${comparisonTable(document)}\n`);
  const freshness = freshnessTable(document);
  if (freshness) print(`${freshness}\n`);
  for (const finding of document.findings) print(finding);
  print(`\n${document.verdict}: ${document.conclusion}`);
  for (const remark of remarks(document)) print(remark);
  print(`\nresult  ${file}\nreport  ${report ?? `npx lab report ${document.id}`}`);
}

/** @throws UsageError that names the topologies there are. */
export function checkTopologies(names: readonly string[]): TopologyName[] {
  const wrong = names.find((name) => !isTopologyName(name));
  if (wrong !== undefined) {
    throw new UsageError(`There is no topology ${wrong}. Choose from ${topologyNames.join(', ')}.`);
  }
  return [...new Set(names as TopologyName[])];
}

/** @throws UsageError that names the scenarios there are. */
export function checkScenarios(names: readonly string[], known: readonly string[] = scenarioNames): ScenarioName[] {
  const wrong = names.find((name) => !(scenarioNames as string[]).includes(name));
  if (wrong !== undefined) throw new UsageError(`There is no scenario ${wrong}. Choose from ${known.join(', ')}.`);
  return scenarioNames.filter((name) => names.includes(name));
}

/** @throws UsageError when no scenario can be put to any of the topologies: systems would be started for nothing. */
export function checkPossible(names: readonly ScenarioName[], topologies: readonly TopologyName[]): void {
  const reasons = names.flatMap((name) =>
    topologies.map((topology) => {
      const missing = (scenarios[name] as Scenario<ScenarioName>).missingOn?.(topology);
      return missing && `${name} can’t be put to ${topology}: ${missing}.`;
    }),
  );
  const [first] = reasons;
  if (first && reasons.every(Boolean)) throw new UsageError(first);
}
