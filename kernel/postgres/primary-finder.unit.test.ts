import { expect, test } from 'vitest';
import { createPrimaryFinder } from './primary-finder.ts';

const dsns = ['postgresql://u@first:1/x', 'postgresql://u@second:2/x'];

/** Two servers by the timeline on which they take writes. */
function setup(timelines: Record<string, number | 'away' | 'frozen' | undefined>, timeoutMs = 120) {
  let nowMs = 0;
  let probes = 0;
  const finder = createPrimaryFinder({
    dsns,
    timeoutMs,
    clock: () => nowMs,
    probe: async (dsn) => {
      probes += 1;
      nowMs += 20;
      const timeline = timelines[new URL(dsn).hostname];
      if (timeline === 'away') throw new Error('connection refused');
      if (timeline === 'frozen') return new Promise(() => {});
      return timeline;
    },
  });
  const find = async () => (await finder.find()).host;
  return {
    find,
    newestTimeline: finder.newestTimeline,
    timelines,
    probes: () => probes,
    later: () => (nowMs += 1_000),
  };
}

test('finds the server that takes writes among those that do not', async () => {
  expect(await setup({ first: undefined, second: 1 }).find()).toBe('second');
  expect(await setup({ first: 1, second: 'away' }).find()).toBe('first');
});

test('asks once for a burst of connections', async () => {
  const target = setup({ first: 1, second: undefined });
  expect(await Promise.all([target.find(), target.find()])).toEqual(['first', 'first']);
  await target.find();
  expect(target.probes()).toBe(2);
});

test('does not wait for a frozen server', async () => {
  expect(await setup({ first: 'frozen', second: 2 }).find()).toBe('second');
});

test('of two that take writes the one on the newer timeline is right', async () => {
  expect(await setup({ first: 1, second: 2 }).find()).toBe('second');
  expect(await setup({ first: 3, second: 2 }).find()).toBe('first');
});

test('never goes back to an older timeline, even when no other server answers', async () => {
  const target = setup({ first: undefined, second: 2 });
  expect(await target.find()).toBe('second');
  Object.assign(target.timelines, { first: 1, second: 'away' });
  target.later();
  await expect(target.find()).rejects.toMatchObject({ code: '08001' });
  target.timelines.first = 3;
  expect(await target.find()).toBe('first');
});

test('waits a moment for a promotion, then says that the store is away', async () => {
  const target = setup({ first: undefined, second: 'away' });
  await expect(target.find()).rejects.toMatchObject({ code: '08001' });
  expect(target.probes()).toBeGreaterThan(2);
});

test('a claim is looked into, and who comes with the same one meanwhile waits for the answer', async () => {
  const target = setup({ first: 1, second: undefined });
  await target.find();
  Object.assign(target.timelines, { first: 'frozen', second: 2 });
  expect(await Promise.all([target.newestTimeline(2), target.newestTimeline(2)])).toEqual([2, 2]);
});

test('a claim that no server confirms makes it look a few times a second only', async () => {
  const target = setup({ first: 1, second: undefined });
  await target.find();
  expect([await target.newestTimeline(9), await target.newestTimeline(9)]).toEqual([1, 1]);
  expect(target.probes()).toBe(4);
  target.later();
  await target.newestTimeline(9);
  expect(target.probes()).toBe(6);
});
