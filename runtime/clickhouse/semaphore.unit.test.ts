import { expect, test } from 'vitest';
import { createSemaphore } from './semaphore.ts';

test('lets so many in at once, the others in turn, and refuses more than may wait', async () => {
  const slots = createSemaphore(2, 2);
  const [first, second] = [await slots.acquire(), await slots.acquire()];
  const order: string[] = [];
  const enter = async (name: string) => {
    const release = await slots.acquire();
    order.push(name);
    return release;
  };
  const [third, fourth] = [enter('third'), enter('fourth')];
  await expect(slots.acquire()).rejects.toThrow();
  expect(order).toEqual([]);
  second();
  (await third)();
  (await fourth)();
  expect(order).toEqual(['third', 'fourth']);
  first();
  await slots.idle();
});

test('giving a slot back twice frees it once', async () => {
  const slots = createSemaphore(1, 1);
  const first = await slots.acquire();
  first();
  first();
  const second = await slots.acquire();
  let entered = false;
  const third = slots.acquire().then((release) => {
    entered = true;
    return release;
  });
  await Promise.resolve();
  expect(entered).toBe(false);
  second();
  (await third)();
});

test('is idle only when the last one has left', async () => {
  const slots = createSemaphore(2, 0);
  const [first, second] = [await slots.acquire(), await slots.acquire()];
  let idle = false;
  const waiting = slots.idle().then(() => {
    idle = true;
  });
  first();
  await Promise.resolve();
  expect(idle).toBe(false);
  second();
  await waiting;
});
