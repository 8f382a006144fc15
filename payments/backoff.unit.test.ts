import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';

test('doubles from 1 s to 30 s, less a jitter of up to a half', () => {
  const times = { firstMs: 1_000, longestMs: 30_000 };
  const longest = [1, 2, 3, 4, 5, 6, 7].map((attempt) => backoffMs(attempt, times, () => 0));
  expect(longest).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  expect(backoffMs(3, times, () => 1)).toBe(2_000);
});
