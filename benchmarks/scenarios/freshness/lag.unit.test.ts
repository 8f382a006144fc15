import { expect, test } from 'vitest';
import { lagOverTime } from './lag.ts';

test('samples are put together by the half second in which they were acknowledged, in the order of time', () => {
  const at = (acknowledgedAtMs: number, latencyMs: number) => ({ acknowledgedAtMs, latencyMs });
  // Samples are found in the order in which they become visible.
  expect(lagOverTime([at(1_600, 7), at(1_010, 30), at(1_000, 10), at(1_499, 20.04)], 1_000)).toEqual([
    { atS: 0.25, samples: 3, p50Ms: 20, maxMs: 30 },
    { atS: 0.75, samples: 1, p50Ms: 7, maxMs: 7 },
  ]);
});
