import type { Logger } from 'pino';
import { paymentProviders } from '../../kernel/contract/status.ts';
import { failureFields } from '../../kernel/failure.ts';
import type { Metrics } from '../../kernel/metrics.ts';
import { repeat } from '../../kernel/repeat.ts';
import { type DayResult, dayOf } from './day.ts';

export interface ReconcileJobDeps {
  reconcile(day: string): Promise<DayResult>;
  metrics: Metrics;
  logger: Logger;
  now: () => Date;
}

/** Reconciles each day once it is over, and tells of every difference. Returns what stops it. */
export function startReconciling({ reconcile, metrics, logger, now }: ReconcileJobDeps, everyMs: number): () => void {
  const stopping = new AbortController();
  let done: string | undefined;
  const round = async (): Promise<void> => {
    const yesterday = dayOf(new Date(now().getTime() - 86_400_000));
    if (done === yesterday) return;
    const { settled, differences } = await reconcile(yesterday);
    done = yesterday;
    for (const provider of paymentProviders) {
      const count = differences.filter((difference) => difference.provider === provider).length;
      metrics.settlementDifferences.set({ provider }, count);
    }
    for (const difference of differences) logger.error(difference, 'the settlement file says something else');
    logger.info({ day: yesterday, settled, differences: differences.length }, 'a day was reconciled');
  };
  const attempt = (): Promise<void> =>
    round().catch((error) => {
      logger.warn(failureFields(error), 'reconciling failed; the next round tries again');
    });
  void repeat(attempt, { pauseMs: everyMs, signal: stopping.signal });
  return () => stopping.abort();
}
