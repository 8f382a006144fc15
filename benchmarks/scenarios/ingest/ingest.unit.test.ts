import { expect, test } from 'vitest';
import type { LoadPhase } from '../../schema/load-phase.ts';
import type { IngestData } from './data.ts';
import { judgeIngest } from './judge.ts';
import { type Attempt, firstRate, keeps, nextRate } from './search.ts';

/** A system that takes `capacity` a second, searched as `ingest` does it. */
function search(capacity: number, first: number, maxAttempts: number): Attempt[] {
  const attempts: Attempt[] = [];
  for (let rate: number | undefined = first; rate !== undefined; rate = nextRate(attempts, maxAttempts)) {
    attempts.push({ offeredRate: rate, rate: Math.min(rate, capacity), kept: rate <= capacity });
  }
  return attempts;
}

test.each([500, 900, 1_000, 1_200, 2_000])(
  'the search comes near a capacity of %s from a start of 1000',
  (capacity) => {
    const best = Math.max(...search(capacity, 1_000, 6).map(({ offeredRate, kept }) => (kept ? offeredRate : 0)));
    expect(best).toBeLessThanOrEqual(capacity);
    expect(best).toBeGreaterThan(capacity * 0.9);
  },
);

test('the search ends when its attempts are used up or the bounds are close', () => {
  expect(search(10_000, 1_000, 3)).toHaveLength(3);
  expect(nextRate([attempt(1_000, true), attempt(1_050, false)], 9)).toBeUndefined();
  expect(nextRate([attempt(1_000, true), attempt(900, false)], 9)).toBe(1_250);
});

function attempt(offeredRate: number, kept: boolean): Attempt {
  return { offeredRate, rate: offeredRate, kept };
}

const window = (offeredRate: number, p99Ms: number, errors = 0) => ({ offeredRate, p99Ms, errors });

test('the first hold starts where the ramp lost the objective, a single pause aside', () => {
  expect(firstRate([window(700, 20), window(800, 250), window(900, 30), window(1_000, 300)], 1_000)).toBe(900);
  expect(firstRate([window(700, 20), window(800, 250), window(900, 260), window(1_000, 30)], 1_000)).toBe(700);
  expect(firstRate([window(700, 20), window(800, 30, 5), window(900, 260)], 1_000)).toBe(700);
});

test('the first hold stays near the closed loop’s rate, whatever the ramp did', () => {
  expect(firstRate([], 1_000)).toBe(1_000);
  expect(firstRate([window(400, 500), window(500, 500)], 1_000)).toBe(600);
  expect(firstRate([window(3_000, 5)], 1_000)).toBeCloseTo(1_500);
});

function phase(changes: Partial<LoadPhase> = {}): LoadPhase {
  const latency = { count: 5_000, p50Ms: 5, p90Ms: 20, p99Ms: 60, p999Ms: 80, maxMs: 90 };
  const numbers = { offeredRate: 2_000, rate: 2_000, durationS: 2.5, sent: 5_000, acknowledged: 5_000, errors: 0 };
  const cost = { cpuSeconds: { api: 1, generator: 0.5 }, walBytes: 1 };
  return { ...numbers, latency, histogram: '', lateness: { p99Ms: 2, maxMs: 9 }, ...cost, ...changes };
}

function round(changes: Partial<IngestData> = {}): IngestData {
  const rest = {
    saturation: phase(),
    curve: [],
    attempts: [],
    acknowledged: 15_000,
    diskGrowthBytes: 0,
    restarts: 0,
    lag: [],
  };
  const checkpoints = { requested: 0, timed: 0 };
  const wanted = { percentile: 99, latencyMs: 100 } as const;
  return { ...rest, peak: phase(), half: phase(), checkpoints, objective: wanted, ...changes };
}

test('a sound round counts', () => {
  expect(judgeIngest(round())).toEqual([]);
});

test.each([
  [{ peak: phase({ latency: { ...phase().latency, p99Ms: 101 } }) }, /no rate held/],
  [{ half: phase({ errors: 20 }) }, /half rate: 0\.40 % errors/],
  [{ half: phase({ sent: 0, acknowledged: 0 }) }, /half rate: 100\.00 % errors/],
  [{ peak: phase({ lateness: { p99Ms: 40, maxMs: 80 } }) }, /peak: generator late by 40 ms/],
  [{ peak: phase({ cpuSeconds: { generator: 2.4 } }) }, /peak: generator saturated/],
  [{ restarts: 1 }, /started again/],
  [{ peak: phase({ sent: 3, acknowledged: 3 }) }, /peak: 3 requests are too few for a p99: 500 at least/],
  [{ peak: phase({ durationS: 0.02 }) }, /peak: held for 0\.02 s: 0\.9 s at least/],
  [
    { half: phase({ latency: { ...phase().latency, p99Ms: 5_000 } }) },
    /half rate: p99 of 5000 ms, above the 100 ms that the full rate kept/,
  ],
  [{ saturation: phase({ acknowledged: 0, errors: 5_000 }) }, /closed loop: 100\.00 % errors/],
  [{ peak: phase({ cpuSeconds: { api: -1 } }) }, /peak: api was started again, so its CPU time is not known/],
  [{ half: phase({ acknowledged: 3_000 }) }, /half rate: 40\.00 % errors; .* 3000 are accounted for/],
  [{ acknowledged: 9_000 }, /9000 acknowledged webhooks are fewer than those of the round’s phases/],
])('a round does not count when %o', (changes, reason) => {
  expect(judgeIngest(round(changes)).join('; ')).toMatch(reason);
});

test('errors lose the objective however fast the answers were', () => {
  expect(keeps(phase())).toBe(true);
  expect(keeps(phase({ errors: 6 }))).toBe(false);
});
