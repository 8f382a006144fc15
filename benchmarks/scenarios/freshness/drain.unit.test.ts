import { expect, test } from 'vitest';
import { measureDrain } from './drain.ts';

/** A clock that a look moves on, and a store that fills as the looks go; the first one is before the start. */
function scripted(counts: number[], copies = 0) {
  let now = 0;
  let at = 0;
  const present = () => counts[Math.min(Math.max(0, at - 1), counts.length - 1)]!;
  return {
    clock: () => now,
    countRows: async () => {
      now += 100;
      at += 1;
      return present() + (at > 1 ? copies : 0);
    },
    countEvents: async () => present(),
  };
}

const rest = { resume: async () => {}, pauseMs: 1, timeoutMs: 10_000, signal: new AbortController().signal };

test('the drain is counted from the first events that came, the engine’s start stands beside it', async () => {
  // A look takes 100 ms.
  const drain = await measureDrain({ source: 1_010, ...scripted([10, 10, 10, 410, 800, 1_010]), ...rest });
  expect(drain).toEqual({
    backlog: 1_000,
    resumeMs: 300,
    drainMs: 200,
    eventsPerSecond: 3_000,
    eventsPerSecondWithStart: 2_000,
  });
});

test('a backlog that comes in one piece has the rate of the whole', async () => {
  const drain = await measureDrain({ source: 1_010, ...scripted([10, 10, 1_010]), ...rest });
  expect(drain).toMatchObject({ drainMs: 0, eventsPerSecond: 5_000, eventsPerSecondWithStart: 5_000 });
});

test('copies do not pass for events', async () => {
  const drain = await measureDrain({ source: 1_010, ...scripted([10, 410, 990, 1_000, 1_010], 100), ...rest });
  expect(drain).toMatchObject({ resumeMs: 100, drainMs: 300 });
});

test('a backlog that does not come is an error that says how much is missing', async () => {
  const never = measureDrain({ source: 50, ...scripted([10, 20]), ...rest, timeoutMs: 500 });
  await expect(never).rejects.toThrow('30 of 40 events');
});
