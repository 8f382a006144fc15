import { type Measurement, turnsOf } from '../../schema/turn.ts';
import type { IngestData } from './data.ts';
import { ingestTurn } from './metrics.ts';

/** Requested checkpoints in one round of one arm that count as a storm when the other arms had none. */
const stormCheckpoints = 2;

/**
 * Discards the rounds in which one arm alone met a storm of checkpoints: what hits all arms is the workload's doing
 * and counts, what hits one is chance. @returns reasons by position in `measurements`
 */
export function checkpointStorms(measurements: readonly Measurement[]): Map<number, string> {
  const turns = turnsOf(ingestTurn, measurements);
  const storms = new Map<number, string>();
  for (const turn of turns) {
    if (requestedIn(turn) < stormCheckpoints) continue;
    const others = turns.filter(({ round, arm }) => round === turn.round && arm !== turn.arm);
    if (others.length > 0 && others.every((other) => requestedIn(other) === 0)) {
      storms.set(measurements.indexOf(turn), `${requestedIn(turn)} requested checkpoints in this arm only`);
    }
  }
  return storms;
}

function requestedIn({ data }: Measurement<IngestData>): number {
  return data?.checkpoints.requested ?? 0;
}
