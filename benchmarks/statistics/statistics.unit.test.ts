import { describe, expect, test } from 'vitest';
import {
  countAtOrBelow,
  createHistogram,
  decodeHistogram,
  encodeHistogram,
  mergeHistograms,
  percentileCurve,
  percentiles,
} from '../../simulator/driver/histogram.ts';
import { noises, simulateCoverage } from './coverage.ts';
import { pairedRatio } from './paired-ratio.ts';
import { median, summarize } from './summary.ts';

test('the median of an odd and of an even number of values', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(() => median([])).toThrow(RangeError);
});

test('a summary holds the range relative to the median', () => {
  expect(summarize([90, 100, 120])).toEqual({ median: 100, min: 90, max: 120, spread: 0.3 });
  expect(summarize([0, 0])).toEqual({ median: 0, min: 0, max: 0, spread: 0 });
});

test('the median does not sort as text and leaves its argument alone', () => {
  const values = [100, 9, 20];
  expect(median(values)).toBe(20);
  expect(values).toEqual([100, 9, 20]);
});

const byRound = (values: readonly number[]) => new Map(values.map((value, at) => [at + 1, value]));

test('a ratio that is the same in every round has an interval without width, however the rounds differ', () => {
  const control = [100, 50, 200, 80, 120];
  const { ratio, low, high } = pairedRatio(byRound(control.map((value) => value * 0.9)), byRound(control));
  for (const value of [ratio, low, high]) expect(value).toBeCloseTo(0.9, 10);
});

test('the interval is the t interval of the logarithms', () => {
  // Logarithms of the ratios: −0.2, −0.1, 0, 0.1, 0.2; standard deviation 0.1581, t of 4 degrees of freedom 2.776.
  const result = pairedRatio(byRound([-0.2, -0.1, 0, 0.1, 0.2].map(Math.exp)), byRound([1, 1, 1, 1, 1]));
  const margin = (2.776 * 0.158_114) / Math.sqrt(5);
  expect(result).toMatchObject({ confidence: 0.95, rounds: 5 });
  expect(result.ratio).toBeCloseTo(1, 10);
  expect(Math.log(result.low)).toBeCloseTo(-margin, 4);
  expect(Math.log(result.high)).toBeCloseTo(margin, 4);
});

test.each([3, 4])('%i rounds have a range and no confidence', (rounds) => {
  const values = [0.8, 1.1, 0.9, 1].slice(0, rounds);
  const result = pairedRatio(byRound(values), byRound(values.map(() => 1)));
  expect(result).toMatchObject({ confidence: null, rounds });
  expect(result.low).toBeCloseTo(0.8);
  expect(result.high).toBeCloseTo(1.1);
});

test('rounds are paired by their number: one that an arm lacks is left out of both', () => {
  const control = new Map([
    [1, 100],
    [2, 1_000],
    [3, 100],
    [4, 100],
    [5, 100],
    [6, 100],
  ]);
  const values = new Map([
    [1, 50],
    [3, 50],
    [4, 50],
    [5, 50],
    [6, 50],
  ]);
  expect(pairedRatio(values, control)).toMatchObject({
    ratio: expect.closeTo(0.5),
    low: expect.closeTo(0.5),
    rounds: 5,
  });
});

test('values that are not above 0, and arms without a common round, are refused', () => {
  expect(() => pairedRatio(byRound([1]), byRound([0]))).toThrow(RangeError);
  expect(() => pairedRatio(new Map([[1, 1]]), new Map([[2, 1]]))).toThrow(RangeError);
});

describe('an interval of 95 % holds the true ratio in 95 of 100 simulated comparisons, within 1.7', () => {
  const cases = Object.keys(noises).flatMap((noise) => [5, 7, 10].map((rounds) => [noise, rounds] as const));
  test.each(cases)('%s noise, %i rounds', (noise, rounds) => {
    const { coverage } = simulateCoverage(noise, rounds, 20_000);
    expect(Math.abs(coverage - 0.95)).toBeLessThan(0.017);
  });
});

test('merged histograms have the percentiles of the whole and not the mean of percentiles', () => {
  const fast = createHistogram();
  const slow = createHistogram();
  for (let i = 0; i < 990; i += 1) fast.recordValue(1_000);
  for (let i = 0; i < 10; i += 1) slow.recordValue(500_000);
  const merged = percentiles(mergeHistograms([fast, slow]));
  expect(merged.count).toBe(1_000);
  expect(merged.p50Ms).toBeCloseTo(1, 2);
  expect(merged.p99Ms).toBeCloseTo(1, 2);
  expect(merged.p999Ms / 500).toBeCloseTo(1, 2);
  expect(merged.maxMs / 500).toBeCloseTo(1, 2);
});

test('a histogram survives its text form, and its curve ends at the largest value', () => {
  const histogram = createHistogram();
  for (let i = 1; i <= 1_000; i += 1) histogram.recordValue(i * 1_000);
  const copy = decodeHistogram(encodeHistogram(histogram));
  // The text form keeps the bucket of the largest value, which is 0.1 % wide, and not the value itself.
  expect(percentiles(copy)).toEqual({ ...percentiles(histogram), maxMs: expect.closeTo(1_000, -0.5) });
  const curve = percentileCurve(copy);
  expect(curve[0]?.percentile).toBe(0);
  expect(curve.at(-1)).toMatchObject({ percentile: 99.9 });
  expect(curve.at(-1)!.latencyMs).toBeGreaterThanOrEqual(1_000);
  expect(percentileCurve(createHistogram())).toEqual([]);
  expect(percentiles(createHistogram()).p99Ms).toBe(0);
});

test('counts values up to a bound', () => {
  const histogram = createHistogram();
  for (let i = 1; i <= 1_000; i += 1) histogram.recordValue(i);
  expect(countAtOrBelow(histogram, 0)).toBe(0);
  expect(countAtOrBelow(histogram, 1)).toBe(1);
  expect(countAtOrBelow(histogram, 250)).toBe(250);
  expect(countAtOrBelow(histogram, 5_000)).toBe(1_000);
  expect(countAtOrBelow(createHistogram(), 10)).toBe(0);
});
