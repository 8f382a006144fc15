import type { Ratio } from '../statistics/paired-ratio.ts';

/** A ratio as documents hold it: those of before intervals were paired say nothing of their rounds. */
export type StoredRatio = Omit<Ratio, 'rounds'> & { rounds?: number | undefined };

/** What may be said of a ratio: its interval lies below 1, above 1 or holds it; or it has too few rounds to say. */
export type Claim = 'below' | 'above' | 'undecided' | 'unclaimed';

export function claimOf({ low, high, confidence }: StoredRatio): Claim {
  if (confidence === null) return 'unclaimed';
  if (high < 1) return 'below';
  return low > 1 ? 'above' : 'undecided';
}

/** As in `0.94 (0.88–1.02)`, for a table whose head says what the bounds are. */
export function shortRatio(ratio: StoredRatio): string {
  return `${ratio.ratio.toFixed(2)} (${bounds(ratio)})`;
}

/** As in `95 % interval 0.88–1.02`, or `range of 3 rounds 0.90–0.98`. */
export function boundsInWords(ratio: StoredRatio): string {
  const { confidence, rounds } = ratio;
  if (confidence === null) return `range of ${rounds} rounds ${bounds(ratio)}`;
  return `${Math.round(confidence * 100)} % interval ${bounds(ratio)}`;
}

/** The head of a column of ratios. */
export function ratioHead(ratios: readonly StoredRatio[]): string {
  return ratios.some(({ confidence }) => confidence === null) ? 'ratio (range)' : 'ratio (95 %)';
}

function bounds({ low, high }: StoredRatio): string {
  return `${low.toFixed(2)}–${high.toFixed(2)}`;
}
