import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { failureFields } from '../kernel/failure.ts';
import type { Metrics } from '../kernel/metrics.ts';
import { repeat } from '../kernel/repeat.ts';

/** Looks now and then at how many commands wait. Returns what stops it. */
export function startObserving(
  { pool, metrics, logger }: { pool: Pool; metrics: Metrics; logger: Logger },
  everyMs: number,
): () => void {
  const stopping = new AbortController();
  const look = async (): Promise<void> => {
    const { rows } = await pool.query<{ open: bigint; dead: bigint }>(
      "select count(*) filter (where status = 'open') as open, count(*) filter (where status = 'dead') as dead from payment_commands",
    );
    metrics.paymentCommandsWaiting.set({ status: 'open' }, Number(rows[0]!.open));
    metrics.paymentCommandsWaiting.set({ status: 'dead' }, Number(rows[0]!.dead));
  };
  const observe = (): Promise<void> =>
    look().catch((error) => {
      logger.warn(failureFields(error), 'looking at the commands failed; the next round tries again');
    });
  void repeat(observe, { pauseMs: everyMs, signal: stopping.signal });
  return () => stopping.abort();
}
