import { topologyScenarios } from '../scenarios/registry.ts';
import type { Evidence } from '../scenarios/scenario.ts';

export interface Conclusion {
  /** The result in one sentence. */
  conclusion: string;
  /** What the numbers say, one sentence each. */
  findings: string[];
}

/** Puts the comparison into words, in the order of the scenarios that were run. */
export function conclude({ valid, ...evidence }: Evidence & { valid: boolean }): Conclusion {
  const kinds = new Set(evidence.measurements.map(({ scenario }) => scenario));
  const run = topologyScenarios.filter(({ turn }) => kinds.has(turn.name));
  const findings = run.flatMap((scenario) => scenario.findings?.(evidence) ?? []);
  const range = evidence.comparisons.find(({ confidence }) => confidence === null);
  if (range) {
    findings.unshift(
      `${range.rounds} rounds are too few to claim a difference or an equality: ratios have their ranges.`,
    );
  }
  const [own] = run.flatMap((scenario) => scenario.conclude?.(evidence) ?? []);
  const prefix = valid ? '' : 'Discarded, not to be quoted: ';
  return { conclusion: prefix + (own ?? findings.at(-1) ?? 'Nothing could be compared.'), findings };
}
