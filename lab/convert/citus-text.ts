import type { CitusConversionResult } from '../../operations/conversion/citus/result.ts';
import { table } from '../output.ts';
import { describeThroughput } from './text.ts';

/** The result of `lab convert citus` for a reader. */
export function describeCitusResult(result: CitusConversionResult): string {
  const compared = new Map(result.compared?.map((one) => [one.table, one]));
  const tables = result.tables.map(({ table: name, rowsCopied, changesApplied }) => {
    const { rows, amountMinor } = compared.get(name) ?? {};
    return [name, rowsCopied, changesApplied, rows === undefined ? '' : `${rows} equal`, amountMinor ?? ''];
  });
  const summary = summaryOf(result);
  return `${summary}\n\n${table(['table', 'copied', 'changes', 'compared', 'amounts'], tables)}`;
}

const next = {
  finished: 'finished; the services run on the cluster, the old database takes no more writes',
  switched: 'switched; restart the services with TOPOLOGY=citus on the cluster, then run this with --finish',
  aborted: 'undone; the database is partitioned as before',
} as const;

function summaryOf(result: CitusConversionResult): string {
  const longest = result.locks.toSorted((x, y) => y.waitedMs + y.heldMs - x.waitedMs - x.heldMs)[0];
  const lock =
    longest && `${longest.step}: ${longest.waitedMs.toFixed(0)} ms waiting, ${longest.heldMs.toFixed(0)} ms held`;
  return table(
    [],
    [
      ['state', next[result.phase]],
      ['cluster', result.target],
      ['duration', `${(result.durationMs / 1_000).toFixed(1)} s`],
      ['copied', `${result.rowsCopied} rows, ${result.changesApplied} changes brought over in ${result.rounds} rounds`],
      ['in the switch', result.changesInSwitch === null ? 'not yet' : `${result.changesInSwitch} changes`],
      ['longest lock', `${result.longestLockMs.toFixed(1)} ms of ${result.locks.length} (${lock ?? 'none'})`],
      [
        'no writes',
        result.withoutWritesMs === null ? 'not ours to say' : `${result.withoutWritesMs.toFixed(0)} ms at the most`,
      ],
      ['analytics', result.cdc ? describeCdc(result.cdc) : 'none'],
      ['webhooks', describeThroughput(result.throughput)],
    ],
  );
}

function describeCdc({ workers, drained }: NonNullable<CitusConversionResult['cdc']>): string {
  return `a slot on each of ${workers} workers; the old one was ${drained ? 'read to its end' : 'given up, the outbox is loaded again'}`;
}
