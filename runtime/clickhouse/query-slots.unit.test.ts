import { BulkheadRejectedError } from 'cockatiel';
import { expect, test } from 'vitest';
import { createQuerySlots } from './query-slots.ts';

/** A query that runs until it is told to end. */
function openQuery() {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { end, run: () => ended };
}

test('lets so many in at once, the others in turn, and refuses more than may wait', async () => {
  const slots = createQuerySlots(2, 2);
  const order: string[] = [];
  const [first, second] = [openQuery(), openQuery()];
  const running = [slots.run(first.run), slots.run(second.run)];
  const waiting = ['third', 'fourth'].map((name) => slots.run(async () => void order.push(name)));
  await expect(slots.run(async () => {})).rejects.toThrow(BulkheadRejectedError);
  expect(order).toEqual([]);
  second.end();
  await Promise.all(waiting);
  expect(order).toEqual(['third', 'fourth']);
  first.end();
  await Promise.all(running);
  await slots.idle();
});

test('a query that fails gives its slot back, once', async () => {
  const slots = createQuerySlots(1, 1);
  await expect(slots.run(() => Promise.reject(new Error('syntax error')))).rejects.toThrow('syntax error');
  const second = openQuery();
  const running = slots.run(second.run);
  let entered = false;
  const third = slots.run(async () => {
    entered = true;
  });
  await Promise.resolve();
  expect(entered).toBe(false);
  second.end();
  await Promise.all([running, third]);
  expect(entered).toBe(true);
});

test('is idle only when the last one has left', async () => {
  const slots = createQuerySlots(2, 0);
  const [first, second] = [openQuery(), openQuery()];
  const running = [slots.run(first.run), slots.run(second.run)];
  let idle = false;
  const waiting = slots.idle().then(() => {
    idle = true;
  });
  first.end();
  await running[0];
  expect(idle).toBe(false);
  second.end();
  await waiting;
});
