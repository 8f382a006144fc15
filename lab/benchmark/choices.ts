import { impossible } from '../../benchmarks/compare/bench.ts';
import { topologyScenarios } from '../../benchmarks/scenarios/registry.ts';
import type { TopologyScenario } from '../../benchmarks/scenarios/scenario.ts';
import { isTopologyName, type TopologyName, topologyNames } from '../../kernel/topology.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { noSuch } from '../no-such.ts';

/** @throws UsageError that names the topologies there are. */
export function checkTopologies(names: readonly string[]): TopologyName[] {
  const wrong = names.find((name) => !isTopologyName(name));
  if (wrong !== undefined) throw noSuch('topology', wrong, topologyNames);
  return [...new Set(names as TopologyName[])];
}

/** Those that compare topologies, in the registry's order. @throws UsageError that names the scenarios there are. */
export function checkScenarios(
  names: readonly string[],
  known: readonly { name: string }[] = topologyScenarios,
): TopologyScenario[] {
  const wrong = names.find((wanted) => !topologyScenarios.some(({ name }) => name === wanted));
  if (wrong !== undefined) {
    throw noSuch(
      'scenario',
      wrong,
      known.map(({ name }) => name),
    );
  }
  return topologyScenarios.filter(({ name }) => names.includes(name));
}

/** @throws UsageError when no scenario can be put to any of the topologies: systems would be started for nothing. */
export function checkPossible(scenarios: readonly TopologyScenario[], topologies: readonly TopologyName[]): void {
  const reason = impossible(scenarios, topologies);
  if (reason !== undefined) throw new UsageError(reason);
}
