import type { TurnKind } from '../schema/turn.ts';
import { acceptance } from './acceptance/acceptance.ts';
import { freshness } from './freshness/freshness.ts';
import { ingest } from './ingest/ingest.ts';
import { reads } from './reads/reads.ts';
import type { OwnArmsScenario, Scenario, ToolBeside, TopologyScenario } from './scenario.ts';
import { timeline } from './timeline/timeline.ts';
import { transfers } from './transfers/transfers.ts';

/** Every scenario, in the order in which a comparison runs them. A new one is one more here. */
export const scenarios: readonly Scenario[] = [ingest, timeline, reads, freshness, acceptance, transfers];

export const topologyScenarios: readonly TopologyScenario[] = scenarios.filter((scenario) => 'turn' in scenario);
export const ownArmsScenarios: readonly OwnArmsScenario[] = scenarios.filter((scenario) => 'createRun' in scenario);

/** Tools beside the topologies, by the word for `--against`. */
export const toolsBeside: Readonly<Record<string, ToolBeside>> = Object.assign(
  {},
  ...topologyScenarios.map(({ beside }) => beside),
);

/** Every kind of turn that a run's document can hold. */
export const turnKinds: readonly TurnKind[] = [
  ...topologyScenarios.map(({ turn }) => turn),
  ...Object.values(toolsBeside).map(({ turn }) => turn),
];
