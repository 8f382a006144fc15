import type { Ratio } from '../statistics/paired-ratio.ts';

/** A ratio as documents hold it: those of before intervals were paired say nothing of their rounds. */
export type StoredRatio = Omit<Ratio, 'rounds'> & {
  rounds?: number | undefined;
  /** What the control differs from itself, as a share. */
  floor?: number | undefined;
};

/**
 * What may be said of a ratio: its interval lies below 1, above 1 or holds it; or it has too few rounds to say. A difference
 * that is no larger than the one of the control to itself is none, wherever its interval lies.
 */
export type Claim = 'below' | 'above' | 'undecided' | 'unclaimed';

export function claimOf(ratio: StoredRatio): Claim {
  const { low, high, confidence } = ratio;
  if (confidence === null) return 'unclaimed';
  if (isBelowFloor(ratio)) return 'undecided';
  if (high < 1) return 'below';
  return low > 1 ? 'above' : 'undecided';
}

function isBelowFloor({ ratio, floor = 0 }: StoredRatio): boolean {
  return Math.abs(Math.log(ratio)) <= Math.log1p(floor);
}

/** As in `0.94 (0.88–1.02)`, for a table whose head says what the bounds are. */
export function shortRatio(ratio: StoredRatio): string {
  return `${ratio.ratio.toFixed(2)} (${bounds(ratio)})`;
}

/** As in `95 % interval 0.88–1.02`, or `range of 3 rounds 0.90–0.98`. */
export function boundsInWords(ratio: StoredRatio): string {
  const { confidence, rounds } = ratio;
  if (confidence === null) return `range of ${rounds} rounds ${bounds(ratio)}`;
  const interval = `${Math.round(confidence * 100)} % interval ${bounds(ratio)}`;
  const isRefused = isBelowFloor(ratio) && (ratio.high < 1 || ratio.low > 1);
  if (!isRefused) return interval;
  return `${interval}, but the control differs from itself by up to ${Math.ceil((ratio.floor ?? 0) * 100)} %`;
}

/** The head of a column of ratios. */
export function ratioHead(ratios: readonly StoredRatio[]): string {
  return ratios.some(({ confidence }) => confidence === null) ? 'ratio (range)' : 'ratio (95 %)';
}

function bounds({ low, high }: StoredRatio): string {
  return `${low.toFixed(2)}–${high.toFixed(2)}`;
}
