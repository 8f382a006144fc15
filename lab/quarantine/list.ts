import { withClient } from '../../kernel/postgres/with-client.ts';
import { findWaiting, listWaiting } from '../../operations/quarantine/quarantine.ts';
import { print, printJson, table } from '../output.ts';
import { wantedRun } from '../wanted-run.ts';
import type { QuarantineFlags } from './flags.ts';

/** `lab quarantine list` */
export async function list(flags: QuarantineFlags): Promise<void> {
  const run = await wantedRun(flags.run);
  const waiting = await withClient(run.dsn.admin, listWaiting);
  if (flags.json) printJson({ waiting: waiting.map(({ event: _event, ...summary }) => summary) });
  else if (waiting.length === 0) print('Nothing waits for a decision.');
  else {
    const rows = waiting.map(({ id, state, orderId, reason, receivedAt }) => [
      id,
      state,
      orderId,
      receivedAt.toISOString().slice(0, 19),
      reason,
    ]);
    print(table(['id', 'state', 'order', 'received', 'reason'], rows));
  }
}

/** `lab quarantine show` */
export async function show(id: string, flags: QuarantineFlags): Promise<void> {
  const run = await wantedRun(flags.run);
  const { event, ...summary } = await withClient(run.dsn.admin, (client) => findWaiting(client, id));
  if (flags.json) {
    printJson({ ...summary, event });
    return;
  }
  const rows = Object.entries(summary).map(([name, value]) => [
    name,
    value instanceof Date ? value.toISOString() : value,
  ]);
  print(table([], rows));
  printJson(event);
}
