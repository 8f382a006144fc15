import { expect, test, vi } from 'vitest';
import { repeat, untilSuccess } from './repeat.ts';

test('work is repeated until the signal aborts, which ends a pause at once', async () => {
  const stopping = new AbortController();
  let calls = 0;
  const work = async () => {
    calls += 1;
    if (calls === 3) stopping.abort();
  };
  await repeat(work, { pauseMs: 1, signal: stopping.signal });
  expect(calls).toBe(3);
  const pausing = new AbortController();
  const repeated = repeat(async () => void queueMicrotask(() => pausing.abort()), {
    pauseMs: 60_000,
    signal: pausing.signal,
  });
  await expect(repeated).resolves.toBeUndefined();
});

test('with the pause first, nothing is called before it', async () => {
  const work = vi.fn(async () => {});
  const signal = AbortSignal.timeout(20);
  await repeat(work, { pauseMs: 60_000, pauseFirst: true, signal });
  expect(work).not.toHaveBeenCalled();
});

test('an error ends the repetition', async () => {
  const { signal } = new AbortController();
  const failing = async () => Promise.reject(new Error('broken'));
  await expect(repeat(failing, { pauseMs: 1, signal })).rejects.toThrow('broken');
});

test('attempts go on until one succeeds, and each failure is told', async () => {
  const failures: unknown[] = [];
  let attempts = 0;
  const attempt = async () => {
    attempts += 1;
    if (attempts < 3) throw new Error(`failure ${attempts}`);
    return 'done';
  };
  const { signal } = new AbortController();
  const onFailure = (error: unknown) => void failures.push(String(error));
  expect(await untilSuccess(attempt, { pauseMs: 1, signal, onFailure })).toBe('done');
  expect(failures).toEqual(['Error: failure 1', 'Error: failure 2']);
});

test('an aborted signal ends the attempts without a word', async () => {
  const stopping = new AbortController();
  const onFailure = vi.fn();
  const attempt = async () => {
    stopping.abort();
    throw new Error('stopped in the middle');
  };
  expect(await untilSuccess(attempt, { pauseMs: 1, signal: stopping.signal, onFailure })).toBeUndefined();
  expect(onFailure).not.toHaveBeenCalled();
});
