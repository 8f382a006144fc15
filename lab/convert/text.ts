import type { ConversionResult } from '../../operations/conversion/convert.ts';
import { table } from '../output.ts';

const next = {
  finished: 'finished; the services run as partitioned',
  switched: 'switched; restart the services with TOPOLOGY=partitioned, then run this with --finish',
  aborted: 'undone; the database is plain as before',
} as const;

/** The result of `lab convert partitioned` for a reader. */
export function describeResult(result: ConversionResult): string {
  const held = result.locks.map(
    ({ step, taken, waitedMs, heldMs }) =>
      `${step} ${waitedMs.toFixed(0)} + ${heldMs.toFixed(0)} ms${taken ? '' : ' (given up)'}`,
  );
  return table(
    [],
    [
      ['state', next[result.phase]],
      ['duration', `${(result.durationMs / 1_000).toFixed(1)} s`],
      ['copied', `${result.rowsCopied} rows, ${result.changesApplied} changes brought over meanwhile`],
      ['compared', result.compared?.map(({ table: name, rows }) => `${name} ${rows}`).join(', ') ?? 'not'],
      ['longest lock', `${result.longestLockMs.toFixed(1)} ms (wait included)`],
      ['locks', held.join(', ') || 'none'],
      ['webhooks', describeThroughput(result.throughput)],
    ],
  );
}

/** Webhooks a second before, during and after a conversion. */
export function describeThroughput(throughput: ConversionResult['throughput']): string {
  const rate = (perSecond: number | null) => (perSecond === null ? 'not measured' : `${perSecond}/s`);
  const { beforePerSecond, duringPerSecond, afterPerSecond } = throughput;
  return `before ${rate(beforePerSecond)}, during ${rate(duringPerSecond)}, after ${rate(afterPerSecond)}`;
}
