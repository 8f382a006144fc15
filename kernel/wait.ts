import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  timeoutMs: number;
  /** Pause between two looks. */
  intervalMs?: number;
  signal?: AbortSignal | undefined;
}

/**
 * Polls `condition` until it is true.
 * @returns false when `timeoutMs` passed first.
 * @throws the signal's reason once it is aborted.
 */
export async function waitUntil(condition: () => boolean | Promise<boolean>, options: WaitOptions): Promise<boolean> {
  const deadline = performance.now() + options.timeoutMs;
  while (!(await condition())) {
    options.signal?.throwIfAborted();
    if (performance.now() > deadline) return false;
    await delay(options.intervalMs ?? 20);
  }
  return true;
}

/** What a look found, and how much is left to wait for. */
export interface Backlog {
  left: number;
}

/**
 * Looks again and again until nothing is left to wait for. Gives up when `stallMs` have passed without a look that
 * found less than all before it, or `timeoutMs` in all. @returns the last look.
 * @throws the signal's reason once it is aborted.
 */
export async function waitWhileShrinking<T extends Backlog>(
  look: () => Promise<T>,
  options: { stallMs: number; timeoutMs?: number; intervalMs: number; signal?: AbortSignal | undefined },
): Promise<T> {
  const startedAt = performance.now();
  let least = Number.POSITIVE_INFINITY;
  let progressAt = startedAt;
  for (;;) {
    const found = await look();
    const now = performance.now();
    if (found.left < least) {
      least = found.left;
      progressAt = now;
    }
    const isLate = now - startedAt >= (options.timeoutMs ?? Number.POSITIVE_INFINITY);
    if (found.left === 0 || isLate || now - progressAt >= options.stallMs) return found;
    options.signal?.throwIfAborted();
    await delay(options.intervalMs);
  }
}
