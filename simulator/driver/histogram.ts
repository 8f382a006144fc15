import * as hdr from 'hdr-histogram-js';

export type Histogram = hdr.Histogram;

/** Latencies in microseconds up to one minute, three significant digits: an error of at most 0.1 % at every size. */
export function createHistogram(): Histogram {
  return hdr.build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 3,
    autoResize: true,
  });
}

/** All values of all histograms in one, so that its percentiles are those of the whole, never means of percentiles. */
export function mergeHistograms(histograms: readonly Histogram[]): Histogram {
  const merged = createHistogram();
  for (const histogram of histograms) merged.add(histogram);
  return merged;
}

/** Percentiles in milliseconds, from microseconds. */
export interface Percentiles {
  count: number;
  p50Ms: number;
  p90Ms: number;
  p99Ms: number;
  p999Ms: number;
  maxMs: number;
}

export function percentiles(histogram: Histogram): Percentiles {
  const at = (percentile: number) =>
    histogram.totalCount === 0 ? 0 : histogram.getValueAtPercentile(percentile) / 1e3;
  return {
    count: histogram.totalCount,
    p50Ms: at(50),
    p90Ms: at(90),
    p99Ms: at(99),
    p999Ms: at(99.9),
    maxMs: histogram.totalCount === 0 ? 0 : histogram.maxValue / 1e3,
  };
}

/** As text in HdrHistogram's own compressed format (V2), which its tools for every language read. */
export function encodeHistogram(histogram: Histogram): string {
  return hdr.encodeIntoCompressedBase64(histogram);
}

/** @throws Error for text that is no encoded histogram. */
export function decodeHistogram(text: string): Histogram {
  return hdr.decodeFromCompressedBase64(text);
}

/** Points of the percentile curve, dense towards the tail: up to the last of the values. */
export function percentileCurve(histogram: Histogram): { percentile: number; latencyMs: number }[] {
  if (histogram.totalCount === 0) return [];
  const points: { percentile: number; latencyMs: number }[] = [];
  const smallestTail = 1 / histogram.totalCount;
  for (let tail = 1; tail >= smallestTail; tail /= 10 ** 0.1) {
    const percentile = 100 * (1 - tail);
    points.push({ percentile, latencyMs: histogram.getValueAtPercentile(percentile) / 1e3 });
  }
  points.push({ percentile: 100 * (1 - smallestTail), latencyMs: histogram.maxValue / 1e3 });
  return points;
}

/** How many values are at or below `value`, found by bisection over the counts: the library has no call for it. */
export function countAtOrBelow(histogram: Histogram, value: number): number {
  let low = 0;
  let high = histogram.totalCount;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    // Half a value below the boundary between two counts, where rounding can't reach the next one.
    const percentile = (100 * (middle - 0.5)) / histogram.totalCount;
    if (histogram.getValueAtPercentile(percentile) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
