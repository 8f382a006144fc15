import { expect, test } from 'vitest';
import { waitUntil, waitWhileShrinking } from './wait.ts';

test('a condition is asked until it is true', async () => {
  let asked = 0;
  expect(await waitUntil(() => ++asked === 3, { timeoutMs: 60_000, intervalMs: 1 })).toBe(true);
  expect(asked).toBe(3);
});

test('waiting ends with false when the time is over, and throws when it is called off', async () => {
  expect(await waitUntil(() => false, { timeoutMs: 30, intervalMs: 5 })).toBe(false);
  const signal = AbortSignal.abort(new Error('stopped'));
  await expect(waitUntil(() => false, { timeoutMs: 60_000, signal })).rejects.toThrow('stopped');
  const look = async () => ({ left: 1 });
  await expect(waitWhileShrinking(look, { stallMs: 60_000, intervalMs: 1, signal })).rejects.toThrow('stopped');
});

test('what shrinks is waited for beyond the time that a standstill may last', async () => {
  const stallMs = 1_000;
  const startedAt = performance.now();
  const left = [8, 7, 6, 5, 4, 3, 2, 1, 0];
  const look = async () => ({ left: left.shift()! });
  expect(await waitWhileShrinking(look, { stallMs, intervalMs: 150 })).toEqual({ left: 0 });
  expect(performance.now() - startedAt).toBeGreaterThan(stallMs);
});

test('what has come to a standstill is given up, growth included', async () => {
  let left = 5;
  const look = async () => ({ left: left++ });
  const { left: last } = await waitWhileShrinking(look, { stallMs: 20, intervalMs: 1 });
  expect(last).toBeGreaterThan(5);
});

test('the time limit holds while something still moves', async () => {
  let left = 1_000_000;
  const look = async () => ({ left: left-- });
  const found = await waitWhileShrinking(look, { stallMs: 60_000, timeoutMs: 20, intervalMs: 1 });
  expect(found.left).toBeGreaterThan(0);
});
