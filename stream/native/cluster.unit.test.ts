import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Engine, EngineStatus } from '../engine.ts';
import { combineEngines, oneAtATime } from './cluster.ts';

function engine(status: Partial<EngineStatus>, run: Engine['run'] = async () => {}): Engine {
  return { run, status: () => ({ state: 'streaming', ...status }) };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
}

test('the whole is as far as the part that is furthest behind', () => {
  const parts = [
    engine({ lagBytes: 10, oldestPendingMs: 500, walStatus: 'reserved' }),
    engine({ state: 'waiting', lagBytes: 90, oldestPendingMs: 400, walStatus: 'extended' }),
  ];
  expect(combineEngines(parts).status()).toMatchObject({
    state: 'waiting',
    lagBytes: 90,
    oldestPendingMs: 400,
    walStatus: 'extended',
  });
  expect(combineEngines([engine({}), engine({})]).status().state).toBe('streaming');
});

test('an engine that gives up ends the others, and its reason is the one that counts', async () => {
  let ended = false;
  const other = engine({}, async (signal) => {
    await untilAborted(signal);
    ended = true;
  });
  const failing = engine({}, async () => {
    throw new Error('the slot is gone');
  });
  await expect(combineEngines([other, failing]).run(new AbortController().signal)).rejects.toThrow('the slot is gone');
  expect(ended).toBe(true);
});

test('batches of two engines are written one after the other, also after a failure', async () => {
  let running = 0;
  let most = 0;
  const sink = oneAtATime({
    write: async (_batch, token) => {
      running += 1;
      most = Math.max(most, running);
      await delay(1);
      running -= 1;
      if (token === 'bad') throw new Error('refused');
    },
    close: async () => {},
  });
  const results = await Promise.allSettled(['a', 'bad', 'b'].map((token) => sink.write([], token)));
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(most).toBe(1);
});
