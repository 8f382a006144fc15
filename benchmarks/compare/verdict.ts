import type { AuditResult } from '../../audit/audit.ts';
import { topologyScenarios } from '../scenarios/registry.ts';
import type { Measurement } from '../schema/turn.ts';
import type { Summary } from '../statistics/summary.ts';

/** Rounds may lie this far apart, relative to their median, before they tell nothing. */
const spreadLimit = 0.6;

export interface ArmEvidence {
  measurements: readonly Measurement[];
  /** Null when the arm was not audited. */
  audit: AuditResult | null;
  /** Of the valid rounds, by metric. */
  summary: Readonly<Record<string, Summary>>;
  /** Valid rounds that each scenario needs. */
  rounds: number;
}

/** Why an arm's numbers must not count; empty when they may. */
export function judgeArm({ measurements, audit, summary, rounds }: ArmEvidence): string[] {
  const reasons: string[] = [];
  const byScenario = Map.groupBy(measurements, ({ scenario }) => scenario);
  for (const [scenario, all] of byScenario) {
    const valid = all.filter(({ verdict }) => verdict === 'VALID').length;
    if (valid < rounds) reasons.push(`${scenario}: ${valid} valid rounds of ${rounds}`);
  }
  if (byScenario.size === 0) reasons.push('nothing was measured');
  for (const { name, steadyMetric = '' } of topologyScenarios) {
    const spread = summary[steadyMetric]?.spread ?? 0;
    if (spread > spreadLimit) reasons.push(`${name}: rounds ${Math.round(spread * 100)} % of their median apart`);
  }
  for (const invariant of audit?.invariants ?? []) {
    if (invariant.id === 'I2' && invariant.checked === 0) reasons.push('audit: no acknowledged webhook was looked up');
    if (invariant.ok) continue;
    const { id, violations, title } = invariant;
    reasons.push(`audit: ${id} ${violations === 0 ? 'could not be checked' : `broken ${violations} times`} (${title})`);
  }
  return reasons;
}
