import type { AuditResult } from '../../audit/audit.ts';
import { judgeLookedUp } from '../measure/judge-audit.ts';
import { topologyScenarios } from '../scenarios/registry.ts';
import type { Measurement } from '../schema/turn.ts';
import type { Summary } from '../statistics/summary.ts';

/** Rounds may lie this far apart, relative to their median, before they tell nothing. */
const spreadLimit = 0.6;

export interface ArmEvidence {
  measurements: readonly Measurement[];
  /** Null when the arm was not audited. */
  audit: AuditResult | null;
  /** Whether a scenario wrote, so that the arm has to be audited. */
  audited: boolean;
  /** Why the audit came to no end. */
  auditFailure?: string | undefined;
  /** Webhooks that the clients counted as acknowledged; undefined where that is not known. */
  acknowledged?: number | undefined;
  /** Of the valid rounds, by metric. */
  summary: Readonly<Record<string, Summary>>;
  /** Valid rounds that each scenario needs. */
  rounds: number;
}

/** Why an arm's numbers must not count; empty when they may. */
export function judgeArm(evidence: ArmEvidence): string[] {
  const { measurements, summary, rounds } = evidence;
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
  return [...reasons, ...judgeAudit(evidence)];
}

function judgeAudit({ audit, audited, auditFailure, acknowledged }: ArmEvidence): string[] {
  if (auditFailure !== undefined) return [auditFailure];
  if (!audit) return audited ? ['audit: there was none'] : [];
  const checked = audit.invariants.find(({ id }) => id === 'I2')?.checked ?? 0;
  const reasons = judgeLookedUp(audit, acknowledged ?? checked);
  for (const invariant of audit.invariants) {
    if (invariant.ok) continue;
    const { id, violations, title } = invariant;
    reasons.push(`audit: ${id} ${violations === 0 ? 'could not be checked' : `broken ${violations} times`} (${title})`);
  }
  return reasons;
}
