import type { TopologyName } from '../../kernel/topology.ts';
import type { BenchRun } from '../runner/run.ts';
import type { BenchOptions, Scenario, TopologyScenario } from '../scenarios/scenario.ts';
import type { ResultDocument } from '../schema/result.ts';
import { createComparison } from './comparison.ts';

/** What tools beside the topologies need to be created, by the word for `--against`. */
const tools: Readonly<Record<string, (options: BenchOptions) => Promise<BenchRun<ResultDocument>>>> = {
  pgbench: async (options) => (await import('../pgbench/against-pgbench.ts')).createAgainstPgbench(options),
};

/** One scenario, by itself or against a tool. @throws MissingPartError when this machine lacks what it needs. */
export async function createBench(
  scenario: Scenario,
  options: BenchOptions & { against?: string | undefined },
): Promise<BenchRun<ResultDocument>> {
  const { against, ...rest } = options;
  if (against !== undefined) return tools[against]!(rest);
  return 'createRun' in scenario ? scenario.createRun(rest) : createBenchOf([scenario], rest);
}

/** These scenarios in turn on one topology. */
export function createBenchOf(
  scenarios: readonly TopologyScenario[],
  { topology, ...options }: BenchOptions,
): BenchRun<ResultDocument> {
  return createComparison({ ...options, topologies: [topology], control: topology, scenarios });
}

/** Why none of the scenarios can be put to any of the topologies; undefined where one can. */
export function impossible(
  scenarios: readonly TopologyScenario[],
  topologies: readonly TopologyName[],
): string | undefined {
  const reasons = scenarios.flatMap((scenario) =>
    topologies.map((topology) => {
      const missing = scenario.missingOn?.(topology);
      return missing && `${scenario.name} can’t be put to ${topology}: ${missing}.`;
    }),
  );
  return reasons.every(Boolean) ? reasons[0] : undefined;
}
