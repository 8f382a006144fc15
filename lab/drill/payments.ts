import { drillPayments, type PaymentsDrillResult } from '../../drills/payments.ts';
import { interruptible } from '../interruptible.ts';
import { print, printJson, progress, table } from '../output.ts';
import { checkRequest } from '../system-request.ts';
import type { PaymentsDrillFlags } from './flags.ts';

/** `lab drill payments` */
export async function payments(flags: PaymentsDrillFlags): Promise<void> {
  const { topology } = await checkRequest(flags.topology, { mode: 'sync', postgres: 'embedded' });
  const result = await interruptible((signal) =>
    drillPayments({
      topology,
      payments: flags.payments,
      kills: flags.kills,
      faultPercent: flags.faults,
      progress,
      signal,
    }),
  );
  if (flags.json) printJson(result);
  else print(describe(result));
  if (!result.ok) process.exitCode = 1;
}

function describe(result: PaymentsDrillResult): string {
  const { completion, differences } = result;
  const summary = table(
    [],
    [
      ['result', result.ok ? 'passed' : 'failed'],
      ['system', result.topology],
      ['payments', `${result.payments} in ${result.seconds.toFixed(0)} s; the worker was killed ${result.kills} times`],
      ['faults', `${result.faultPercent} % of the providers' answers`],
      ['ended as', counts(result.statuses)],
      ['charged by', counts(result.chargedBy)],
      ['refunds', String(result.refunds)],
      ['replayed', `${result.replayed} commands that were given up`],
      ['time to outcome', `p50 ${completion.p50Ms} ms, p99 ${completion.p99Ms} ms, longest ${completion.maxMs} ms`],
      ...result.invariants.map(({ id, checked, violations, note }) => [
        id,
        `${checked} checked, ${violations} violations${note === null ? '' : ` (${note})`}`,
      ]),
      ['reconciliation', `${differences.honest} differences; of six planted ones: ${differences.planted.join(', ')}`],
    ],
  );
  const examples = result.invariants.flatMap((row) => row.examples.map((example) => `${row.id} ${example}`));
  return [summary, ...examples].join('\n');
}

function counts(named: Readonly<Record<string, number>>): string {
  return Object.entries(named)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}
