import { type ComparisonRun, createComparison } from '../../benchmarks/compare/comparison.ts';
import { createAgainstPgbench } from '../../benchmarks/pgbench/against-pgbench.ts';
import { savePage } from '../../benchmarks/results/page.ts';
import { scenarioNames } from '../../benchmarks/scenarios/registry.ts';
import type { ScenarioName } from '../../benchmarks/scenarios/scenario.ts';
import type { TopologyName } from '../../kernel/topology.ts';
import { MissingPartError } from '../../runtime/native/missing-part.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { runAndSave } from '../benchmark/run-and-save.ts';
import type { BenchFlags } from '../commands/bench.ts';
import { checkPossible, checkScenarios, checkTopologies, printResult } from '../compare/command.ts';
import { printJson, progress } from '../output.ts';

const allNames = [...scenarioNames, 'freshness', 'acceptance'];

/** `lab bench`. */
export async function benchCommand(scenario: string | undefined, flags: BenchFlags): Promise<void> {
  const { rounds = 3 } = flags;
  if (scenario === 'freshness' || scenario === 'acceptance') checkOwnRunner(scenario, flags);
  if (scenario === 'freshness') {
    // Its arms are engines and not topologies, so it has a runner and a document of its own.
    const [wanted] = checkTopologies([flags.topology ?? 'partitioned']) as [TopologyName];
    const { freshnessCommand } = await import('../benchmark/freshness-command.ts');
    await freshnessCommand({ ...flags, topology: wanted });
    return;
  }
  if (scenario === 'acceptance') {
    // Its arms are modes and not topologies.
    const [wanted] = checkTopologies([flags.topology ?? 'plain']) as [TopologyName];
    const { acceptanceCommand } = await import('../benchmark/acceptance-command.ts');
    await acceptanceCommand({ ...flags, rounds, topology: wanted });
    return;
  }
  const { scenarios, topology } = checkFlags(scenario, flags);
  const { document, file } = await runAndSave((signal) => createRun(scenarios, topology, { ...flags, rounds }, signal));
  if (flags.json) printJson(document);
  else printResult(document, file);
  if (flags.save) progress(`saved: ${await savePage(document)}`);
  if (document.verdict !== 'VALID') process.exitCode = 1;
}

/** What these scenarios would otherwise pass over. @throws UsageError */
function checkOwnRunner(scenario: 'freshness' | 'acceptance', flags: BenchFlags): void {
  const meaningless = [
    flags.all && '--all',
    flags.against && '--against',
    flags.driver === 'k6' && '--driver k6',
    scenario === 'freshness' && flags.rounds !== undefined && '--rounds',
  ].filter((option) => typeof option === 'string');
  if (meaningless.length > 0) throw new UsageError(`${scenario} has no ${meaningless.join(', ')}: leave it out.`);
}

function checkFlags(scenario: string | undefined, flags: BenchFlags) {
  if (flags.driver === 'k6') {
    throw new MissingPartError('the k6 driver', 'there are no k6 scripts yet; use --driver builtin');
  }
  if ((scenario === undefined) === !flags.all) {
    throw new UsageError(`Name one scenario of ${allNames.join(', ')}, or use --all.`);
  }
  const scenarios = flags.all ? scenarioNames : checkScenarios([scenario!], allNames);
  // Policies differ only where there is a replica.
  const where = flags.topology ?? (scenario === 'reads' ? 'replicated' : 'plain');
  const [topology] = checkTopologies([where]) as [TopologyName];
  if (flags.against && (scenario !== 'ingest' || topology !== 'plain')) {
    throw new UsageError('--against pgbench works for `bench ingest --topology plain`: its scripts know those tables.');
  }
  checkPossible(scenarios, [topology]);
  return { scenarios, topology };
}

async function createRun(
  scenarios: readonly ScenarioName[],
  topology: TopologyName,
  flags: BenchFlags & { rounds: number },
  signal: AbortSignal,
): Promise<ComparisonRun> {
  const { rounds, seed, scale } = flags;
  const common = { rounds, seed, scale, signal };
  const what = `${flags.all ? '--all' : scenarios[0]} --topology ${topology} --rounds ${rounds} --scale ${scale} --seed ${seed}`;
  if (flags.against) {
    return createAgainstPgbench({ ...common, command: `bench ${what} --against ${flags.against}`, topology });
  }
  return createComparison({
    ...common,
    command: `bench ${what}`,
    topologies: [topology],
    control: topology,
    scenarios,
  });
}
