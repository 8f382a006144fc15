/** When requests start. Rates are per second. */
export type LoadPlan = OpenPlan | ClosedPlan;

/** Open model: a request starts when its time has come, whether or not earlier ones have been answered. */
export type OpenPlan = ({ shape: 'constant'; rate: number } | { shape: 'ramp'; fromRate: number; toRate: number }) & {
  durationMs: number;
  /** Gaps between starts: random as between independent senders, or all equal. */
  arrivals?: 'poisson' | 'uniform';
};

/**
 * Closed model: each connection sends its next request when the last one is answered. It finds the highest rate, and
 * its latencies say nothing about a system that is not saturated.
 */
export interface ClosedPlan {
  shape: 'closed';
  connections: number;
  durationMs: number;
}

/** Planned requests per second at a time since the start. */
export function rateAt(plan: OpenPlan, elapsedMs: number): number {
  if (plan.shape === 'constant') return plan.rate;
  return plan.fromRate + ((plan.toRate - plan.fromRate) * elapsedMs) / plan.durationMs;
}

/**
 * The planned starts in order, in milliseconds since the start, without end.
 * @param random uniform in [0, 1); unused for uniform arrivals
 */
export function createArrivals(plan: OpenPlan, random: () => number): () => number {
  const uniform = plan.arrivals === 'uniform';
  let at = 0;
  return () => {
    const now = at;
    // The gap of a Poisson process is exponential; 1 − random is never 0, whose logarithm would be infinite.
    const gaps = uniform ? 1 : -Math.log(1 - random());
    at += (gaps * 1000) / Math.max(rateAt(plan, now), 0.001);
    return now;
  };
}

/** @throws RangeError that names the wrong value. */
export function checkPlan(plan: LoadPlan): void {
  const positive = (name: string, value: number) => {
    if (!(value > 0 && Number.isFinite(value))) throw new RangeError(`${name} must be above 0, not ${value}`);
  };
  positive('durationMs', plan.durationMs);
  if (plan.shape === 'closed') positive('connections', plan.connections);
  else if (plan.shape === 'constant') positive('rate', plan.rate);
  else {
    positive('fromRate', plan.fromRate);
    positive('toRate', plan.toRate);
  }
}
