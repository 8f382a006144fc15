export interface Summary {
  median: number;
  min: number;
  max: number;
  /** (max − min) ÷ median: 0.1 means that the rounds lay within a tenth of their median. 0 when the median is 0. */
  spread: number;
}

/** The middle value, or the mean of the two middle ones. @throws RangeError for an empty list. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the median of nothing is not defined');
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[upper]! : (sorted[upper - 1]! + sorted[upper]!) / 2;
}

/**
 * Median with the range around it. With the three to ten rounds of a comparison the range says more than a standard
 * deviation would. @throws RangeError for an empty list.
 */
export function summarize(values: readonly number[]): Summary {
  const middle = median(values);
  const min = Math.min(...values);
  const max = Math.max(...values);
  return { median: middle, min, max, spread: middle === 0 ? 0 : (max - min) / middle };
}
