import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createStarts } from './starts.ts';

test('parts start side by side, and may wait for one another', async () => {
  const order: string[] = [];
  const starts = createStarts();
  const slow = starts.run(async () => {
    order.push('slow begins');
    await delay(5);
    order.push('slow is there');
    return 1;
  });
  starts.run(async () => {
    order.push('other begins');
    order.push(`other got ${await slow}`);
  });
  await starts.all();
  expect(order).toEqual(['slow begins', 'other begins', 'slow is there', 'other got 1']);
});

test('the first failure is what the caller hears, after all others have ended', async () => {
  const starts = createStarts();
  let ended = false;
  const broken = starts.run(() => Promise.reject(new Error('no such program')));
  starts.run(async () => {
    await broken;
  });
  starts.run(async () => {
    await delay(60_000, undefined, { signal: starts.signal }).catch(() => {});
    await delay(5);
    ended = true;
    throw new Error('told to stop');
  });
  await expect(starts.all()).rejects.toThrow('no such program');
  expect(ended).toBe(true);
  await expect(starts.run(async () => 1)).rejects.toThrow('no such program');
});

test('a signal from outside ends the start with its reason', async () => {
  const stop = new AbortController();
  const starts = createStarts(stop.signal);
  starts.run(() => delay(60_000, undefined, { signal: starts.signal }));
  stop.abort(new Error('stopped by SIGINT'));
  await expect(starts.all()).rejects.toThrow('stopped by SIGINT');
});
