import { judgeAnswers, judgeCpu, judgePhase } from '../../measure/judge-phase.ts';
import type { IngestData } from './data.ts';
import { keeps } from './search.ts';

/** Why a round of `ingest` must not count; empty when it may. */
export function judgeIngest(data: IngestData): string[] {
  const { saturation, peak, half, objective, attempts, restarts, acknowledged } = data;
  const reasons = [
    ...judgeAnswers('closed loop', saturation),
    ...judgeCpu('closed loop', saturation),
    ...judgePhase('peak', peak),
    ...judgePhase('half rate', half),
  ];
  if (!keeps(peak)) reasons.push(`no rate held kept p99 ≤ ${objective.latencyMs} ms in ${attempts.length} attempts`);
  if (half.latency.p99Ms > objective.latencyMs) {
    const p99 = Math.round(half.latency.p99Ms);
    reasons.push(`half rate: p99 of ${p99} ms, above the ${objective.latencyMs} ms that the full rate kept`);
  }
  // The phases in the document are some of those that the round had.
  if (acknowledged < saturation.acknowledged + peak.acknowledged + half.acknowledged) {
    reasons.push(`${acknowledged} acknowledged webhooks are fewer than those of the round’s phases`);
  }
  if (restarts > 0) reasons.push('the server was started again during the round');
  return reasons;
}
