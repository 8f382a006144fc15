import { expect, test } from 'vitest';
import { Pace } from './pace.ts';

/**
 * Rounds that bring over all that has come since the round before, as those of a conversion to a cluster do, each followed
 * by a copy and a rest.
 * @returns the number of the round at which the conversion is given up, and why; undefined when it is not.
 */
function run(given: {
  comingIn: (round: number) => number;
  broughtOver: number;
  copyMs?: number;
  duty?: number;
  rounds?: number;
  waiting?: number;
}): { round: number; message: string } | undefined {
  const { comingIn, broughtOver, copyMs = 0, duty = 1, rounds = 500 } = given;
  const pace = new Pace(duty);
  let atMs = 0;
  let { waiting = 10 } = given;
  for (let round = 1; round <= rounds; round += 1) {
    const workMs = 20 + (waiting / broughtOver) * 1_000;
    try {
      pace.add({ atMs, waiting, brought: waiting, workMs });
    } catch (error) {
      return { round, message: (error as Error).message };
    }
    const tookMs = (workMs + copyMs) / duty;
    atMs += tookMs;
    waiting = Math.round((comingIn(round) * tookMs) / 1_000);
  }
  return undefined;
}

test('a conversion that falls behind is given up, with both rates and what to do', () => {
  const ended = run({ comingIn: () => 900, broughtOver: 600 });
  expect(ended?.message).toMatch(
    /^Changes come in at 9\d\d\/s and are brought over at \d\d\d\/s: \d+ wait, \d+ waited \S+ s ago\. /,
  );
  expect(ended?.message).toMatch(/Nothing is lost: lower the load, and go on with --resume. Or undo it with --abort.$/);
});

test.each([1.05, 1.5, 4])('it is noticed when %d times as much comes in as is brought over', (factor) => {
  expect(run({ comingIn: () => factor * 1_000, broughtOver: 1_000, copyMs: 200 })).toBeDefined();
});

test('rests count: their share is named where it can be raised', () => {
  const ended = run({ comingIn: () => 900, broughtOver: 1_000, duty: 0.5 });
  expect(ended?.message).toContain('raise --duty (0.5 now)');
  expect(run({ comingIn: () => 450, broughtOver: 1_000, duty: 0.5, copyMs: 300 })).toBeUndefined();
});

test('one that keeps up is not given up: near its limit, when the load begins, after a peak, after a long break', () => {
  const broughtOver = 1_000;
  expect(run({ comingIn: () => 950, broughtOver, copyMs: 500 })).toBeUndefined();
  expect(run({ comingIn: (round) => Math.min(round * 40, 900), broughtOver, copyMs: 500 })).toBeUndefined();
  expect(run({ comingIn: (round) => (round === 30 ? 1_500 : 700), broughtOver, copyMs: 500 })).toBeUndefined();
  expect(run({ comingIn: () => 700, broughtOver, copyMs: 500, waiting: 300_000 })).toBeUndefined();
  expect(run({ comingIn: (round) => (round % 7) * 100, broughtOver: 5_000 })).toBeUndefined();
});

test('one without writers is not given up, however slow its rounds are', () => {
  expect(run({ comingIn: () => 0, broughtOver: 1_000, waiting: 0 })).toBeUndefined();
});

test.each([1, 5, 90])('few changes are never too many, however slow the rounds: up to %d in each', (most) => {
  const pace = new Pace(1);
  let atMs = 0;
  for (let round = 0; round < 300; round += 1) {
    const waiting = round < 5 ? 0 : 1 + ((round * 7) % most);
    const workMs = 700 + ((round * 13) % 40) * 100;
    pace.add({ atMs, waiting, brought: waiting, workMs });
    atMs += workMs;
  }
});

/** Rounds under a steady load of 500 changes a second, which are brought over at 5,000 a second. */
function steadily(priceOfRoundMs: (round: number) => number) {
  const pace = new Pace(1);
  let atMs = 0;
  let waiting = 10;
  for (let round = 0; round < 200; round += 1) {
    const workMs = priceOfRoundMs(round) + waiting / 5;
    pace.add({ atMs, waiting, brought: waiting, workMs });
    atMs += workMs;
    waiting = Math.round(workMs / 2);
  }
}

test('a machine that stands still for a while, or is slower from then on, is no reason to give up', () => {
  steadily((round) => (round === 50 ? 3_000 : 20));
  steadily((round) => (round === 50 || round === 51 ? 20_000 : 20));
  steadily((round) => (round < 50 ? 200 : 2_500));
});

test('rounds of a limited size fall behind when the log grows from round to round', () => {
  const rounds = (comingIn: number) => {
    const pace = new Pace(1);
    let waiting = 3_000;
    for (let atMs = 0; atMs < 120_000; atMs += 500) {
      const brought = Math.min(waiting, 1_000);
      pace.add({ atMs, waiting, brought, workMs: 400 + ((atMs / 500) % 3) * 40 });
      waiting += comingIn / 2 - brought;
    }
  };
  expect(() => rounds(2_500)).toThrow(/come in at 2500\/s and are brought over at 2000\/s/);
  expect(() => rounds(1_900)).not.toThrow();
});
