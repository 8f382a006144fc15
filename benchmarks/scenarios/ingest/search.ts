import type { LoadPhase } from '../../schema/load-phase.ts';

export interface Objective {
  percentile: 99;
  latencyMs: number;
}

/** p99 of at most 100 ms from the intended start to the end of the answer. */
export const objective: Objective = { percentile: 99, latencyMs: 100 };

/** Whether a phase kept the objective; lost requests have no latency, so there may be hardly any. */
export function keeps(phase: Pick<LoadPhase, 'latency' | 'errors' | 'sent'>, wanted = objective): boolean {
  return phase.latency.p99Ms <= wanted.latencyMs && phase.errors <= phase.sent * 0.001;
}

/**
 * Where to hold first: the highest offered rate of the ramp up to which the windows kept the objective. One window
 * that missed it between windows that kept it is a pause of the machine and not the system's limit. It is no more than
 * a start: a ramp runs ahead of the backlog that it builds up, and a closed loop never has one.
 */
export function firstRate(
  curve: readonly { offeredRate: number; p99Ms: number; errors: number }[],
  saturationRate: number,
  wanted = objective,
): number {
  let last = -1;
  for (const [at, window] of curve.entries()) {
    if (window.p99Ms <= wanted.latencyMs && window.errors === 0) last = at;
    else if (at > last + 1) break;
  }
  const ramp = curve[Math.max(last, 0)]?.offeredRate ?? saturationRate;
  return nearRate(ramp, saturationRate);
}

/** A start far from what the closed loop has just shown would waste holds. */
export function nearRate(rate: number, saturationRate: number): number {
  return Math.min(Math.max(rate, saturationRate * 0.6), saturationRate * 1.5);
}

export interface Attempt {
  offeredRate: number;
  /** What was really acknowledged a second. */
  rate: number;
  kept: boolean;
}

/** Rates closer together than this can't be told apart on a machine with other things to do. */
const resolution = 1.06;

/**
 * The next rate to hold, or undefined when more attempts would tell nothing new: a quarter more after one that was
 * kept, an eighth less after one that was missed (or what was achieved, if that is less), half-way between the two
 * once both are known.
 */
export function nextRate(attempts: readonly Attempt[], maxAttempts: number): number | undefined {
  const kept = Math.max(0, ...attempts.filter((attempt) => attempt.kept).map((attempt) => attempt.offeredRate));
  const missed = attempts.filter((attempt) => !attempt.kept && attempt.offeredRate > kept);
  const lowestMissed = missed.reduce<Attempt | undefined>(
    (lowest, attempt) => (lowest && lowest.offeredRate < attempt.offeredRate ? lowest : attempt),
    undefined,
  );
  if (attempts.length >= maxAttempts) return undefined;
  if (!lowestMissed) return kept * 1.25;
  if (kept === 0) return Math.min(lowestMissed.offeredRate * 0.875, lowestMissed.rate * 0.97);
  return lowestMissed.offeredRate / kept < resolution ? undefined : (kept + lowestMissed.offeredRate) / 2;
}
