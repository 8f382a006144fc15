import { rescueDefaultRows } from '../../operations/partitions/rescue.ts';
import { print, printJson, progress, table } from '../output.ts';
import type { LockFlags } from './flags.ts';
import { onDatabase } from './on-database.ts';
import { longest } from './text.ts';

/** `lab partitions rescue` */
export async function rescue(flags: LockFlags): Promise<void> {
  const { maxLockMs } = flags;
  const rescued = await onDatabase(flags, (client) => rescueDefaultRows(client, { maxLockMs, progress }));
  if (flags.json) printJson({ tables: rescued });
  else if (rescued.length === 0) print('No row lies in a default partition.');
  else {
    const rows = rescued.map((one) => [
      one.table,
      one.rows,
      one.partitions.join(', '),
      one.left.count,
      longest(one.locks),
    ]);
    print(table(['table', 'rows', 'now in', 'left', 'longest lock'], rows));
  }
}
