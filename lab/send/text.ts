import type { DeliveryTotals } from '../../simulator/delivery/delivery.ts';
import type { SendResult } from '../../simulator/delivery/send.ts';
import { progress, table } from '../output.ts';

/** The result of `lab send` for a reader. */
export function describeResult(result: SendResult): string {
  const list = (counts: Record<string, number>) =>
    Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ') || 'none';
  const { reads, latencyMs } = result;
  const rows: [string, string][] = [
    ['delivered', `${result.delivered} in ${(result.elapsedMs / 1_000).toFixed(1)} s, ${result.perSecond} a second`],
    ['of these', list(result.planned)],
    ['acknowledged', `${result.acknowledged}: ${list(result.verdicts)}`],
    ['answer time', `p50 ${latencyMs.p50} ms, p99 ${latencyMs.p99} ms, highest ${latencyMs.max} ms`],
    ['repeated', list(result.retries)],
    ['refused', list(result.rejected)],
    ['given up', String(result.gaveUp)],
    ['reads', `${reads.count} after own write, ${reads.stale} stale, ${reads.failed} failed (${list(reads.byNode)})`],
    ['record', result.record],
  ];
  return table([], rows);
}

/** One line that is rewritten in a terminal, a line now and then elsewhere. */
export function showProgress(totals: DeliveryTotals, count: number): () => void {
  const terminal = process.stderr.isTTY;
  const show = () => {
    const text = `${totals.delivered} of ${count} delivered, ${totals.acknowledged} acknowledged`;
    if (terminal) process.stderr.write(`\r\x1b[K${text}`);
    else progress(text);
  };
  const timer = setInterval(show, terminal ? 250 : 5_000);
  return () => {
    clearInterval(timer);
    if (terminal) process.stderr.write('\r\x1b[K');
  };
}
