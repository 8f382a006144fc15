import { attachPartition } from '../../operations/partitions/attach.ts';
import { print, printJson, progress } from '../output.ts';
import type { LockFlags } from './flags.ts';
import { onDatabase } from './on-database.ts';
import { longest } from './text.ts';

/** `lab partitions attach` */
export async function attach(source: string, flags: LockFlags & { force?: boolean }): Promise<void> {
  const { maxLockMs, force = false } = flags;
  const attached = await onDatabase(flags, (client) =>
    attachPartition(client, { source, force, maxLockMs, now: () => new Date(), progress }),
  );
  const { rows, table, partition, locks } = attached;
  if (flags.json) printJson(attached);
  else print(`${rows} rows are back in ${table} as ${partition}; longest lock ${longest(locks)}.`);
}
