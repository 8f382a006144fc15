import { createComparison } from '../../benchmarks/compare/comparison.ts';
import { defaultResultsDirectory, loadRun } from '../../benchmarks/compare/store.ts';
import { scenarioNames } from '../../benchmarks/scenarios/registry.ts';
import type { ScenarioName } from '../../benchmarks/scenarios/scenario.ts';
import type { RunDocument } from '../../benchmarks/schema/run.ts';
import { isTopologyName, type TopologyName, topologyNames } from '../../kernel/topology.ts';
import type { CompareFlags } from '../commands/compare.ts';
import { print, printJson, UsageError } from '../output.ts';
import { runAndSave } from './compare.ts';
import { comparisonTable, freshnessTable, remarks } from './tables.ts';

/** `lab compare`. */
export async function compareCommand(flags: CompareFlags): Promise<void> {
  const topologies = checkTopologies(flags.topologies);
  const { rounds = flags.quick ? 3 : 5, scale = flags.quick ? 1 : 3, seed } = flags;
  if (rounds < 3) throw new UsageError('--rounds must be 3 or more: fewer say nothing about the spread.');
  const scenarios = checkScenarios(flags.scenarios);
  const baseline = flags.baseline === undefined ? undefined : await loadRun(defaultResultsDirectory(), flags.baseline);
  const command = `compare --topologies ${topologies.join(',')} --rounds ${rounds} --scale ${scale}`;
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
  if (wrong !== undefined || names.length === 0) {
    throw new UsageError(`There is no topology ${wrong ?? ''}. Choose from ${topologyNames.join(', ')}.`);
  }
  return [...new Set(names as TopologyName[])];
}

/** @throws UsageError that names the scenarios there are. */
export function checkScenarios(names: readonly string[]): ScenarioName[] {
  const wrong = names.find((name) => !(scenarioNames as string[]).includes(name));
  if (wrong !== undefined || names.length === 0) {
    throw new UsageError(`There is no scenario ${wrong ?? ''}. Choose from ${scenarioNames.join(', ')}.`);
  }
  return scenarioNames.filter((name) => names.includes(name));
}
