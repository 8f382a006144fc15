import { ingest } from './ingest/ingest.ts';
import { reads } from './reads/reads.ts';
import type { Scenario, ScenarioName } from './scenario.ts';
import { timeline } from './timeline/timeline.ts';

/** Every scenario, in the order in which a comparison runs them. A new one is one more line. */
export const scenarios = { ingest, timeline, reads } as const satisfies { [Name in ScenarioName]: Scenario<Name> };

export const scenarioNames = Object.keys(scenarios) as ScenarioName[];
