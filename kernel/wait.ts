import { setTimeout as delay } from 'node:timers/promises';

/**
 * The outcome of `work`, unless it takes longer than `timeoutMs`. The work itself goes on: this is for what can't be
 * canceled, as with a frozen server, which neither answers nor breaks the connection.
 * @param timedOut Makes the error that is thrown when it took too long.
 */
export async function within<T>(
  timeoutMs: number,
  work: Promise<T>,
  timedOut: () => Error = () => new Error(`no answer within ${timeoutMs} ms`),
): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(timedOut()), timeoutMs);
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** The outcome of `work`. @throws the signal's reason when it aborts first. The work itself goes on. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal?.reason);
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    // A signal that lives as long as the process would otherwise keep what once waited for it.
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Waits `ms`, or until the signal aborts, which is no error here. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal && { signal }).catch(() => {});
}

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
