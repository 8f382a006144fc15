import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { isStoreUnavailable } from '../../kernel/postgres/errors.ts';
import { orAborted } from '../../kernel/wait.ts';

export interface StoreGateOptions {
  /** Rejects while the store is away. */
  probe(): Promise<unknown>;
  /** Pause between two looks at a store that is away. */
  pauseMs: number;
  logger: Logger;
  /** Told when the consumers start and stop to wait. */
  onPause(paused: boolean): void;
}

/** Keeps the consumers waiting while the store is away, instead of letting them burn attempts. */
export interface StoreGate {
  /**
   * Resolves once the store answers; all who wait share one probe. @throws the signal's reason when it is aborted.
   */
  untilBack(signal: AbortSignal): Promise<void>;
}

export function createStoreGate(options: StoreGateOptions): StoreGate {
  const { probe, pauseMs, logger, onPause } = options;
  let back: Promise<void> | undefined;
  let waiting = 0;

  async function poll(): Promise<void> {
    onPause(true);
    logger.warn('the database is away: the consumers pause');
    while (waiting > 0) {
      await delay(pauseMs);
      try {
        await probe();
        logger.info('the database is back: the consumers go on');
        break;
      } catch (error) {
        // A refusal for another reason comes from a server that is there.
        if (!isStoreUnavailable(error)) break;
      }
    }
    back = undefined;
    onPause(false);
  }

  return {
    async untilBack(signal) {
      signal.throwIfAborted();
      waiting += 1;
      back ??= poll();
      try {
        await orAborted(back, signal);
      } finally {
        waiting -= 1;
      }
    },
  };
}
