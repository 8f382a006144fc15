import { boundsInWords } from '../report/ratio-words.ts';
import { topologyScenarios } from '../scenarios/registry.ts';
import type { Evidence } from '../scenarios/scenario.ts';
import type { RunDocument } from '../schema/run.ts';
import { causeInWords } from './cause.ts';

export interface Conclusion {
  /** The result in one sentence. */
  conclusion: string;
  /** What the numbers say, one sentence each. */
  findings: string[];
}

interface Concluded extends Evidence {
  /** Why the run does not count; empty when it does. */
  reasons: readonly string[];
  /** The control against itself, where it was. */
  sameArm?: RunDocument['sameArm'];
}

/** Puts the comparison into words, in the order of the scenarios that were run. */
export function conclude({ reasons, sameArm, ...evidence }: Concluded): Conclusion {
  const kinds = new Set(evidence.measurements.map(({ scenario }) => scenario));
  const run = topologyScenarios.filter(({ turn }) => kinds.has(turn.name));
  const ofScenarios = run.flatMap((scenario) => scenario.findings?.(evidence) ?? []);
  const findings = [...ofScenarios];
  const range = evidence.comparisons.find(({ confidence }) => confidence === null);
  if (range) {
    findings.unshift(
      `${range.rounds} rounds are too few to claim a difference or an equality: ratios have their ranges.`,
    );
  }
  findings.push(...describeItself(sameArm));
  const [own] = run.flatMap((scenario) => scenario.conclude?.(evidence) ?? []);
  if (reasons.length > 0) {
    return { conclusion: `Discarded, not to be quoted: ${causeInWords(evidence.measurements, reasons)}`, findings };
  }
  return { conclusion: own ?? ofScenarios.at(-1) ?? 'Nothing could be compared.', findings };
}

/** One line on the smallest difference that this machine can show, in each scenario's first metric. */
function describeItself(sameArm: RunDocument['sameArm']): string[] {
  return topologyScenarios.flatMap(({ metrics: [first] = [] }) => {
    const itself = sameArm?.comparisons.find(({ metric }) => metric === first?.name);
    if (!itself || !first) return [];
    const earlier = sameArm!.earlierRuns > 0 ? `, ${sameArm!.earlierRuns} earlier runs beside it` : '';
    return [
      `${itself.control} against itself, in ${first.label}: ${itself.ratio.toFixed(2)} × (${boundsInWords(itself)})${earlier}. ` +
        'Smaller differences than that can’t be told here.',
    ];
  });
}
