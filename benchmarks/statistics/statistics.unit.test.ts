import { expect, test } from 'vitest';
import {
  countAtOrBelow,
  createHistogram,
  decodeHistogram,
  encodeHistogram,
  mergeHistograms,
  percentileCurve,
  percentiles,
} from '../../simulator/driver/histogram.ts';
import { createRandom } from '../../simulator/workload/random.ts';
import { ratioOfMedians } from './bootstrap.ts';
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

test('a ratio that is the same in every round has an interval without width, however the rounds differ', () => {
  const control = [100, 50, 200];
  const values = control.map((value) => value * 0.9);
  const result = ratioOfMedians({ values, control, random: createRandom(1).next });
  expect(result.ratio).toBeCloseTo(0.9, 10);
  expect(result.low).toBeCloseTo(0.9, 10);
  expect(result.high).toBeCloseTo(0.9, 10);
});

test('the interval holds the ratio and is repeatable from its seed', () => {
  const options = { values: [8, 9, 10, 12, 11], control: [10, 11, 9, 10, 12] };
  const first = ratioOfMedians({ ...options, random: createRandom(7).next });
  const again = ratioOfMedians({ ...options, random: createRandom(7).next });
  expect(again).toEqual(first);
  expect(first.ratio).toBe(1);
  expect(first.low).toBeLessThan(1);
  expect(first.high).toBeGreaterThan(1);
  expect(first.low).toBeGreaterThanOrEqual(8 / 10);
  expect(first.high).toBeLessThanOrEqual(12 / 9);
});

test('arms with unequal numbers of rounds are drawn apart; a control of 0 is refused', () => {
  const result = ratioOfMedians({ values: [2, 2, 2], control: [1, 1], random: createRandom(3).next });
  expect(result).toMatchObject({ ratio: 2, low: 2, high: 2 });
  expect(() => ratioOfMedians({ values: [1], control: [0], random: createRandom(3).next })).toThrow(RangeError);
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
