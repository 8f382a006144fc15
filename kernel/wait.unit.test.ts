import { expect, test } from 'vitest';
import { orAborted, pause, waitUntil, waitWhileShrinking, within } from './wait.ts';

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

test('work that takes too long fails with the error that was asked for; other work has its own outcome', async () => {
  const never = new Promise<never>(() => {});
  await expect(within(1, never)).rejects.toThrow('no answer within 1 ms');
  await expect(within(1, never, () => new Error('too late'))).rejects.toThrow('too late');
  expect(await within(60_000, Promise.resolve(7))).toBe(7);
  await expect(within(60_000, Promise.reject(new Error('broken')))).rejects.toThrow('broken');
});

test('a signal ends a wait with its reason, whether it aborts before or meanwhile', async () => {
  const never = new Promise<never>(() => {});
  await expect(orAborted(never, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
  const stopping = new AbortController();
  const waiting = orAborted(never, stopping.signal);
  stopping.abort(new Error('meanwhile'));
  await expect(waiting).rejects.toThrow('meanwhile');
  expect(await orAborted(Promise.resolve(7), new AbortController().signal)).toBe(7);
  expect(await orAborted(Promise.resolve(7), undefined)).toBe(7);
});

test('a pause that is ended by a signal is no error', async () => {
  await expect(pause(60_000, AbortSignal.timeout(1))).resolves.toBeUndefined();
});
