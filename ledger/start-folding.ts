import type { Logger } from 'pino';
import { failureFields } from '../kernel/failure.ts';
import { repeat } from '../kernel/repeat.ts';
import type { Ledger } from './ledger.ts';

/** Posts legs that wait, with a pause between two rounds. Several instances may do it at once. Returns what stops it. */
export function startFolding(deps: { ledger: Ledger; logger: Logger }, everyMs: number): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const round = (): Promise<unknown> =>
    deps.ledger.fold().catch((error) => {
      deps.logger.warn(failureFields(error), 'posting the legs that wait failed; the next round tries again');
    });
  const running = repeat(round, { pauseMs: everyMs, pauseFirst: true, signal });
  return async () => {
    stopping.abort();
    await running;
  };
}
