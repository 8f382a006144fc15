import { setTimeout as delay } from 'node:timers/promises';
import { pause } from './wait.ts';

/**
 * Calls `work` again and again until the signal aborts, with a pause between the end of one call and the next, so that
 * slow work never piles up. The pauses alone don't keep the process running.
 * @throws what `work` throws, which ends the repetition.
 */
export async function repeat(
  work: () => Promise<unknown>,
  options: { pauseMs: number; signal: AbortSignal; pauseFirst?: boolean },
): Promise<void> {
  const { pauseMs, signal, pauseFirst = false } = options;
  let waits = pauseFirst;
  while (!signal.aborted) {
    if (waits) await delay(pauseMs, undefined, { signal, ref: false }).catch(() => {});
    if (!signal.aborted) await work();
    waits = true;
  }
}

/**
 * Calls `attempt` until it succeeds. cockatiel's retry does not fit: it sleeps through an aborted signal.
 * @param options.onFailure Told of each failure; it ends the attempts by throwing.
 * @returns what the attempt returned; undefined when the signal aborted first.
 */
export async function untilSuccess<T>(
  attempt: () => Promise<T>,
  options: { pauseMs: number; signal: AbortSignal; onFailure(error: unknown): void },
): Promise<T | undefined> {
  const { pauseMs, signal, onFailure } = options;
  while (!signal.aborted) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted) return undefined;
      onFailure(error);
      await pause(pauseMs, signal);
    }
  }
  return undefined;
}
