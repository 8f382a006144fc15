import { topologyScenarios } from '../../benchmarks/scenarios/registry.ts';
import type { RunDocument } from '../../benchmarks/schema/run.ts';

/** How far apart the ratios of several runs lie, one line for each arm and scenario: what a single interval can't tell. */
export function betweenRuns(documents: readonly RunDocument[]): string[] {
  const valid = documents.filter(({ verdict }) => verdict === 'VALID');
  const head = `${valid.length} of ${documents.length} runs count.`;
  const metrics = topologyScenarios.flatMap(({ metrics: [first] = [] }) => first ?? []);
  const lines = metrics.flatMap(({ name, label }) => {
    const found = valid.flatMap(({ comparisons, sameArm }) => [...comparisons, ...(sameArm?.comparisons ?? [])]);
    const byArm = Map.groupBy(
      found.filter(({ metric }) => metric === name),
      ({ arm, control }) => `${arm} over ${control}`,
    );
    return [...byArm].map(([arms, ratios]) => {
      const values = ratios.map(({ ratio }) => ratio.toFixed(2));
      return `${label}, ${arms}: ${values.join(', ')} ×`;
    });
  });
  return [head, ...lines];
}
