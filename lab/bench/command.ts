import { createBench, createBenchOf } from '../../benchmarks/compare/bench.ts';
import { saveOwnPage, savePage } from '../../benchmarks/results/page.ts';
import type { BenchRun } from '../../benchmarks/runner/run.ts';
import { ownArmsScenarios, scenarios, toolsBeside, topologyScenarios } from '../../benchmarks/scenarios/registry.ts';
import type { OwnArmsScenario } from '../../benchmarks/scenarios/scenario.ts';
import { isOwnDocument, missedTargets, type ResultDocument } from '../../benchmarks/schema/result.ts';
import { fewestRoundsForInterval } from '../../benchmarks/statistics/paired-ratio.ts';
import { controlTopology, type TopologyName } from '../../kernel/topology.ts';
import { MissingPartError } from '../../runtime/native/missing-part.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { checkPossible, checkScenarios, checkTopologies } from '../benchmark/choices.ts';
import { ownText, printResult } from '../benchmark/print-result.ts';
import { runAndSave } from '../benchmark/run-and-save.ts';
import { printJson, progress } from '../output.ts';

export interface BenchFlags {
  all?: boolean;
  topology?: string;
  against?: string;
  driver: 'builtin' | 'k6';
  rounds?: number;
  scale: number;
  seed: number;
  save?: boolean;
  json?: boolean;
}

/** Fewer rounds have no interval, and so no claim. */
const defaultRounds = fewestRoundsForInterval;

/** `lab bench`: status 1 for a run that does not count, or that counts and misses a target of its scenario. */
export async function benchCommand(name: string | undefined, flags: BenchFlags): Promise<void> {
  const own = ownArmsScenarios.find((scenario) => scenario.name === name);
  const create = own ? checkOwn(own, flags) : checkFlags(name, flags);
  const { document, file } = await runAndSave(create);
  if (flags.json) printJson(document);
  else printResult(document, file);
  if (flags.save) progress(`saved: ${await save(document)}`);
  if (document.verdict !== 'VALID' || missedTargets(document).length > 0) process.exitCode = 1;
}

type Create = (signal: AbortSignal) => BenchRun<ResultDocument> | Promise<BenchRun<ResultDocument>>;

/** A scenario whose arms are no topologies. @throws UsageError for what it would otherwise pass over. */
function checkOwn(scenario: OwnArmsScenario, flags: BenchFlags): Create {
  const { name, hasRounds } = scenario;
  const meaningless = [
    flags.all && '--all',
    flags.against && '--against',
    flags.driver === 'k6' && '--driver k6',
    !hasRounds && flags.rounds !== undefined && '--rounds',
  ].filter((option) => typeof option === 'string');
  if (meaningless.length > 0) throw new UsageError(`${name} has no ${meaningless.join(', ')}: leave it out.`);
  const [topology] = checkTopologies([flags.topology ?? scenario.topology]) as [TopologyName];
  const { rounds = defaultRounds, seed, scale } = flags;
  const command = commandOf(name, topology, hasRounds ? rounds : undefined, flags);
  return (signal) => createBench(scenario, { command, topology, rounds, seed, scale, signal });
}

/** @throws UsageError, MissingPartError */
function checkFlags(name: string | undefined, flags: BenchFlags): Create {
  const { all, against, rounds = defaultRounds, seed, scale } = flags;
  if (flags.driver === 'k6') {
    throw new MissingPartError('the k6 driver', 'there are no k6 scripts yet; use --driver builtin');
  }
  if ((name === undefined) === !all) {
    const names = scenarios.map((scenario) => scenario.name).join(', ');
    throw new UsageError(`Name one scenario of ${names}, or use --all.`);
  }
  const wanted = all ? topologyScenarios : checkScenarios([name!], scenarios);
  const scenario = all ? undefined : wanted[0]!;
  const [topology] = checkTopologies([flags.topology ?? scenario?.topology ?? controlTopology]) as [TopologyName];
  if (against !== undefined && !scenario?.beside?.[against]?.worksOn(topology)) {
    throw new UsageError(toolsBeside[against]!.requirement);
  }
  checkPossible(wanted, [topology]);
  const command = commandOf(name ?? '--all', topology, rounds, flags);
  const options = { command, topology, rounds, seed, scale };
  if (!scenario) return (signal) => createBenchOf(wanted, { ...options, signal });
  return (signal) => createBench(scenario, { ...options, against, signal });
}

/** As the user could type it, with everything that was left out. */
function commandOf(name: string, topology: string, rounds: number | undefined, flags: BenchFlags): string {
  const { scale, seed, against } = flags;
  const tool = against === undefined ? '' : ` --against ${against}`;
  const inRounds = rounds === undefined ? '' : ` --rounds ${rounds}`;
  return `bench ${name} --topology ${topology}${inRounds} --scale ${scale} --seed ${seed}${tool}`;
}

/** The page in docs/results. @returns its file */
function save(document: ResultDocument): Promise<string> {
  if (!isOwnDocument(document)) return savePage(document);
  const { title } = ownArmsScenarios.find(({ name }) => name === document.scenario)!;
  return saveOwnPage(document, title, ownText(document));
}
