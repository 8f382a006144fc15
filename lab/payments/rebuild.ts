import { checkRebuild } from '../../audit/payments.ts';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { print, printJson } from '../output.ts';
import { wantedRun } from '../wanted-run.ts';
import type { PaymentsFlags } from './flags.ts';

/** `lab payments rebuild`: compares every row with what its events add up to, in one snapshot. */
export async function rebuild(flags: PaymentsFlags): Promise<void> {
  const run = await wantedRun(flags.run);
  const { checked, problems } = await withClient(run.dsn.reader, async (client) => {
    await client.query('begin transaction isolation level repeatable read read only');
    return checkRebuild(client);
  });
  if (flags.json) printJson({ checked, problems });
  else
    print(
      [...problems.slice(0, 20), `${checked} payments, ${problems.length} that are not what their events say`].join(
        '\n',
      ),
    );
  if (problems.length > 0) process.exitCode = 1;
}
