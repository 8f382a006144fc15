import { withClient } from '../../kernel/postgres/with-client.ts';
import { withIntake } from '../../operations/quarantine/intake.ts';
import { applyWaiting, dropWaiting, findWaiting } from '../../operations/quarantine/quarantine.ts';
import { print, printJson } from '../output.ts';
import { wantedRun } from '../wanted-run.ts';
import type { QuarantineFlags } from './flags.ts';

/** `lab quarantine release` */
export async function release(id: string, flags: QuarantineFlags): Promise<void> {
  const run = await wantedRun(flags.run);
  const note = flags.note ?? null;
  const outcome = await withClient(run.dsn.admin, async (client) => {
    const waiting = await findWaiting(client, id);
    if (flags.drop) {
      await dropWaiting(client, waiting, note);
      return 'dropped';
    }
    const place = { dsn: run.dsn.admin, topology: run.topology };
    return withIntake(place, (intake) => applyWaiting(client, intake, { waiting, note }));
  });
  if (flags.json) printJson({ id, outcome });
  else print(`${id}: ${outcome}`);
}
