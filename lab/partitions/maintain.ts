import { maintain as runMaintenance } from '../../operations/partitions/maintain.ts';
import { print, printJson, progress, table } from '../output.ts';
import type { TargetFlags } from './flags.ts';
import { onDatabase } from './on-database.ts';

/** `lab partitions maintain`; status 1 when a lock never came. */
export async function maintain(flags: TargetFlags): Promise<void> {
  const maintained = await onDatabase(flags, runMaintenance);
  if (flags.json) printJson({ tables: maintained });
  else {
    const rows = maintained.map(({ table: name, created, dropped, deleted }) => [name, created, dropped, deleted]);
    print(table(['table', 'created', 'dropped', 'rows deleted'], rows));
  }
  const postponed = maintained.filter((one) => one.postponed).map((one) => one.table);
  if (postponed.length === 0) return;
  progress(`not all was done for ${postponed.join(', ')}: other sessions hold the tables. Try again later.`);
  process.exitCode = 1;
}
