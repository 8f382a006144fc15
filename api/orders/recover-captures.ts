import type { Logger } from 'pino';
import { failureFields } from '../../kernel/failure.ts';
import { AppError } from '../../kernel/http/errors.ts';
import { repeat } from '../../kernel/repeat.ts';
import { type CaptureDeps, captureOrder } from './capture.ts';

/** Captures that one round finishes at most; the next round finds the others. */
const roundSize = 50;

/** Age from which a capture counts as abandoned: until then its caller is likely to repeat the request. */
const graceMs = 30_000;

export interface CaptureRecovery extends CaptureDeps {
  logger: Logger;
}

/**
 * Finishes captures whose caller never came back after a crash or an unknown outcome: as a repeated request would,
 * under the same key, so that it makes no difference who is first, and several instances may do it at once. Without
 * this, such a capture would keep its amount reserved for ever. Orders on hold are left until the hold is cleared.
 * @returns how many have an outcome now.
 */
export async function recoverCaptures(deps: CaptureRecovery, signal?: AbortSignal): Promise<number> {
  const now = deps.now();
  const requestedBefore = new Date(now.getTime() - graceMs);
  let finished = 0;
  for (const row of await deps.orders.abandonedCaptures(requestedBefore, now, roundSize)) {
    if (signal?.aborted) break;
    try {
      const { result } = await captureOrder(deps, { ...row, orderId: row.order_id, requestId: 'capture-recovery' });
      finished += 1;
      deps.logger.info({ capture_id: result.capture_id, status: result.status }, 'abandoned capture finished');
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // While the provider is away, every other capture of this round would wait for it in vain.
      if (error.code === 'provider_unavailable') break;
    }
  }
  return finished;
}

/** Looks for abandoned captures, with a pause between the end of one round and the next. Returns what stops it. */
export function startCaptureRecovery(deps: CaptureRecovery, everyMs: number): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const round = (): Promise<unknown> =>
    recoverCaptures(deps, signal).catch((error) => {
      deps.logger.warn(failureFields(error), 'looking for abandoned captures failed; the next round tries again');
    });
  const running = repeat(round, { pauseMs: everyMs, pauseFirst: true, signal });
  return async () => {
    stopping.abort();
    await running;
  };
}
