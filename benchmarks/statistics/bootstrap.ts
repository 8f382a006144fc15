import { median } from './summary.ts';

export interface Ratio {
  /** Median of `values` ÷ median of `control`. */
  ratio: number;
  /** Bounds of the bootstrap interval. */
  low: number;
  high: number;
  /** As in 0.95. */
  confidence: number;
}

export interface RatioOptions {
  /** One value a round; the same index is the same round in both lists. */
  values: readonly number[];
  control: readonly number[];
  /** Uniform in [0, 1). */
  random: () => number;
  confidence?: number;
  resamples?: number;
}

/**
 * The ratio of two medians with its percentile bootstrap interval (Efron and Tibshirani, An Introduction to the
 * Bootstrap, chapter 13). Whole rounds are drawn when both arms have as many: the arms of one round ran next to each
 * other, so what slowed the machine for a while slowed both, and drawing them apart would blame it on the topology.
 * With three rounds the interval is little more than the range of what was seen, and never narrower than the data.
 * @throws RangeError when a list is empty or the control holds a value that is not above 0.
 */
export function ratioOfMedians(options: RatioOptions): Ratio {
  const { values, control, random, confidence = 0.95, resamples = 2_000 } = options;
  if (control.some((value) => !(value > 0))) throw new RangeError('a ratio needs control values above 0');
  const paired = values.length === control.length;
  const drawn: number[] = [];
  for (let i = 0; i < resamples; i += 1) {
    const picks = drawIndexes(values.length, random);
    const controlPicks = paired ? picks : drawIndexes(control.length, random);
    drawn.push(median(picks.map((at) => values[at]!)) / median(controlPicks.map((at) => control[at]!)));
  }
  drawn.sort((a, b) => a - b);
  const tail = (1 - confidence) / 2;
  return {
    ratio: median(values) / median(control),
    low: drawn[Math.floor(tail * (resamples - 1))]!,
    high: drawn[Math.ceil((1 - tail) * (resamples - 1))]!,
    confidence,
  };
}

function drawIndexes(count: number, random: () => number): number[] {
  return Array.from({ length: count }, () => Math.floor(random() * count));
}
