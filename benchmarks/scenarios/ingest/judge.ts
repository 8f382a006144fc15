import type { LoadPhase } from '../../schema/load-phase.ts';
import type { IngestData } from './data.ts';
import { keeps } from './search.ts';

/** Share of requests without a 2xx that a round may have. */
const errorLimit = 0.001;
/** A generator that starts requests later than this did not offer the load that it claims. */
const latenessLimitMs = 25;

/** Why a round of `ingest` must not count; empty when it may. */
export function judgeIngest(data: IngestData): string[] {
  const reasons = [...judgePhase('peak', data.peak), ...judgePhase('half rate', data.half)];
  if (!keeps(data.peak)) {
    reasons.push(`no rate held kept p99 ≤ ${data.objective.latencyMs} ms in ${data.attempts.length} attempts`);
  }
  if (data.restarts > 0) reasons.push('the server was started again during the round');
  return reasons;
}

function judgePhase(name: string, phase: LoadPhase): string[] {
  const reasons: string[] = [];
  const errorShare = phase.sent === 0 ? 1 : phase.errors / phase.sent;
  if (errorShare > errorLimit) reasons.push(`${name}: ${(errorShare * 100).toFixed(2)} % errors`);
  if (phase.lateness.p99Ms > latenessLimitMs) {
    reasons.push(`${name}: generator late by ${phase.lateness.p99Ms.toFixed(0)} ms at its 99th percentile`);
  }
  // One process can use one core: above nine tenths of it the generator is the limit and not the system.
  const generatorShare = (phase.cpuSeconds.generator ?? 0) / Math.max(phase.durationS, 0.001);
  if (generatorShare > 0.9)
    reasons.push(`${name}: generator saturated (${(generatorShare * 100).toFixed(0)} % of a core)`);
  return reasons;
}
