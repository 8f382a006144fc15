import { withClient } from '../../kernel/postgres/with-client.ts';
import { dayOf, reconcileDay } from '../../payments/reconcile/day.ts';
import { print, printJson, table } from '../output.ts';
import { wantedRun } from '../wanted-run.ts';
import type { PaymentsFlags } from './flags.ts';

/** `lab payments reconcile` */
export async function reconcile(flags: PaymentsFlags): Promise<void> {
  const run = await wantedRun(flags.run);
  const day = flags.day ?? dayOf(new Date());
  const urls = { card: `${run.urls.provider}/card`, wallet: `${run.urls.provider}/wallet` };
  const result = await withClient(run.dsn.reader, (client) => reconcileDay(client, urls, day));
  const { settled, differences } = result;
  if (flags.json) printJson({ day, ...result });
  else {
    if (differences.length > 0) {
      const rows = differences.map(({ provider, problem, type, key, detail }) => [
        provider,
        problem,
        type,
        key,
        detail,
      ]);
      print(table(['provider', 'problem', 'what', 'key', 'detail'], rows));
    }
    print(`${day}: ${settled} movements settled, ${differences.length} differences`);
  }
  if (differences.length > 0) process.exitCode = 1;
}
