import { expect, test } from 'vitest';
import { measureDrain } from './drain.ts';

/** A clock that a count moves on, and a store that fills as the counts go. */
function scripted(counts: number[]) {
  let now = 0;
  let at = 0;
  return {
    clock: () => now,
    count: async () => {
      now += 100;
      return counts[Math.min(at++, counts.length - 1)]!;
    },
  };
}

const rest = { resume: async () => {}, pauseMs: 1, timeoutMs: 10_000, signal: new AbortController().signal };

test('the drain is counted from the first event that came, the engine’s start stands beside it', async () => {
  // The first count is the one before the start.
  const drain = await measureDrain({ source: 1_010, ...scripted([10, 10, 10, 400, 800, 1_010]), ...rest });
  expect(drain).toMatchObject({ backlog: 1_000, resumeMs: 299, drainMs: 201 });
  expect(drain.eventsPerSecond).toBe(Math.round(1_000 / 0.201));
  expect(drain.eventsPerSecondWithStart).toBe(2_000);
});

test('a backlog that does not come is an error that says how much is missing', async () => {
  const never = measureDrain({ source: 50, ...scripted([10, 20]), ...rest, timeoutMs: 500 });
  await expect(never).rejects.toThrow('30 of 40 events');
});
