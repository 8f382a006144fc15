/** How two arms of interleaved rounds compare. */
export interface Ratio {
  /** Geometric mean of value ÷ control over the rounds that both arms have. */
  ratio: number;
  /** Bounds of the confidence interval; below five rounds the smallest and the largest ratio of a round. */
  low: number;
  high: number;
  /** As in 0.95; null below five rounds, where the bounds are a range and carry no claim. */
  confidence: number | null;
  /** Rounds that both arms have. */
  rounds: number;
}

/** With fewer rounds an interval of any method is either useless or covers less than it says. */
export const fewestRoundsForInterval = 5;

/**
 * The ratio of two arms with the t interval of its logarithm (as in any text on paired comparisons, for instance NIST/
 * SEMATECH e-Handbook of Statistical Methods, 7.3.1.1). Rounds are paired by their number: the arms of one round ran next
 * to each other, so what slowed the machine for a while slowed both. `benchmarks/statistics/coverage.ts` simulates how
 * often such an interval holds the true ratio.
 * @param values by round, all above 0
 * @throws RangeError when the arms have no round in common, or a value is not above 0.
 */
export function pairedRatio(values: ReadonlyMap<number, number>, control: ReadonlyMap<number, number>): Ratio {
  const rounds = [...values.keys()].filter((round) => control.has(round));
  if (rounds.length === 0) throw new RangeError('a ratio needs a round that both arms have');
  const logs = rounds.map((round) => {
    const [value, against] = [values.get(round)!, control.get(round)!];
    if (!(value > 0 && against > 0)) throw new RangeError(`a ratio needs values above 0, also in round ${round}`);
    return Math.log(value / against);
  });
  const count = logs.length;
  const mean = logs.reduce((sum, log) => sum + log, 0) / count;
  const ratio = Math.exp(mean);
  if (count < fewestRoundsForInterval) {
    const [low, high] = [Math.exp(Math.min(...logs)), Math.exp(Math.max(...logs))];
    return { ratio, low, high, confidence: null, rounds: count };
  }
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (count - 1);
  const margin = tQuantile(count - 1) * Math.sqrt(variance / count);
  return { ratio, low: Math.exp(mean - margin), high: Math.exp(mean + margin), confidence: 0.95, rounds: count };
}

/**
 * Two-sided 95 % points of Student's t for 1 … 30 degrees of freedom (NIST/SEMATECH e-Handbook, 1.3.6.7.2). More rounds
 * than 31 take the last one, which is on the safe side.
 */
const tPoints = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

function tQuantile(degreesOfFreedom: number): number {
  return tPoints[Math.min(degreesOfFreedom, tPoints.length) - 1]!;
}
