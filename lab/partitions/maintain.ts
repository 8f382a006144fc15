import { maintain as runMaintenance } from '../../operations/partitions/maintain.ts';
import { print, printJson, table } from '../output.ts';
import type { TargetFlags } from './flags.ts';
import { onDatabase } from './on-database.ts';

/** `lab partitions maintain` */
export async function maintain(flags: TargetFlags): Promise<void> {
  const maintained = await onDatabase(flags, runMaintenance);
  if (flags.json) printJson({ tables: maintained });
  else {
    const rows = maintained.map(({ table: name, created, dropped, deleted }) => [name, created, dropped, deleted]);
    print(table(['table', 'created', 'dropped', 'rows deleted'], rows));
  }
}
