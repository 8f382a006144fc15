import type { AuditResult } from '../../audit/audit.ts';
import type { Measurement } from '../schema/run.ts';
import type { Summary } from '../statistics/summary.ts';

/** Rounds may lie this far apart, relative to their median, before they tell nothing. */
const spreadLimit = 0.6;
/** Requested checkpoints in one round of one arm that count as a storm when the other arms had none. */
const stormCheckpoints = 2;

/**
 * Discards the rounds in which one arm alone met a storm of checkpoints: what hits all arms is the workload's doing
 * and counts, what hits one is chance. @returns reasons by position in `measurements`
 */
export function checkpointStorms(measurements: readonly Measurement[]): Map<number, string> {
  const requested = (measurement: Measurement) =>
    measurement.scenario === 'ingest' ? (measurement.data?.checkpoints.requested ?? 0) : 0;
  const storms = new Map<number, string>();
  for (const [at, measurement] of measurements.entries()) {
    if (measurement.scenario !== 'ingest' || requested(measurement) < stormCheckpoints) continue;
    const others = measurements.filter(
      (other) => other.scenario === 'ingest' && other.round === measurement.round && other.arm !== measurement.arm,
    );
    if (others.length > 0 && others.every((other) => requested(other) === 0)) {
      storms.set(at, `${requested(measurement)} requested checkpoints in this arm only`);
    }
  }
  return storms;
}

export interface ArmEvidence {
  measurements: readonly Measurement[];
  /** Null when the arm was not audited. */
  audit: AuditResult | null;
  /** Of the arm's ingest rate, where it was measured. */
  rate: Summary | undefined;
  /** Valid rounds that each scenario needs. */
  rounds: number;
}

/** Why an arm's numbers must not count; empty when they may. */
export function judgeArm(evidence: ArmEvidence): string[] {
  const reasons: string[] = [];
  const byScenario = Map.groupBy(evidence.measurements, (measurement) => measurement.scenario);
  for (const [scenario, all] of byScenario) {
    const valid = all.filter((measurement) => measurement.verdict === 'VALID').length;
    if (valid < evidence.rounds) reasons.push(`${scenario}: ${valid} valid rounds of ${evidence.rounds}`);
  }
  if (byScenario.size === 0) reasons.push('nothing was measured');
  if (evidence.rate && evidence.rate.spread > spreadLimit) {
    reasons.push(`ingest: rounds ${Math.round(evidence.rate.spread * 100)} % of their median apart`);
  }
  for (const invariant of evidence.audit?.invariants ?? []) {
    if (invariant.id === 'I2' && invariant.checked === 0) reasons.push('audit: no acknowledged webhook was looked up');
    if (!invariant.ok) reasons.push(`audit: ${invariant.id} broken ${invariant.violations} times (${invariant.title})`);
  }
  return reasons;
}
