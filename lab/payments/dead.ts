import { Pool } from 'pg';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { createPaymentStore } from '../../ledger/payments/store.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { print, printJson, table } from '../output.ts';
import { wantedRun } from '../wanted-run.ts';
import type { PaymentsFlags } from './flags.ts';

/** `lab payments dead` */
export async function dead(flags: PaymentsFlags): Promise<void> {
  const run = await wantedRun(flags.run);
  const { rows } = await withClient(run.dsn.reader, (client) =>
    client.query<{ command_id: string; operation: string; payment_id: string; attempts: number; last_error: string }>(
      `select command_id, operation, payment_id, attempts, last_error from payment_commands where status = 'dead'
       order by created_at, command_id`,
    ),
  );
  if (flags.json) printJson({ dead: rows });
  else if (rows.length === 0) print('No command was given up.');
  else {
    const lines = rows.map(({ command_id, operation, attempts, last_error }) => [
      command_id,
      operation,
      String(attempts),
      last_error,
    ]);
    print(table(['id', 'what', 'attempts', 'last error'], lines));
  }
}

/** `lab payments replay` */
export async function replay(id: string | undefined, flags: PaymentsFlags): Promise<void> {
  if ((id === undefined) !== (flags.all === true)) throw new UsageError('Name one command, or say --all.');
  const run = await wantedRun(flags.run);
  const pool = new Pool({ connectionString: run.dsn.api, max: 1 });
  try {
    const replayed = await createPaymentStore({ pool, now: () => new Date() }).replay(id);
    if (flags.json) printJson({ replayed });
    else print(`${replayed} ${replayed === 1 ? 'command is' : 'commands are'} due again`);
  } finally {
    await pool.end();
  }
}
