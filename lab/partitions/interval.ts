import type { PartitionInterval } from '../../kernel/topology.ts';
import { changePartitionInterval } from '../../sql/migrate.ts';
import type { TargetFlags } from './flags.ts';
import { list } from './list.ts';
import { onDatabase } from './on-database.ts';

/** `lab partitions interval` */
export async function interval(wanted: PartitionInterval, flags: TargetFlags): Promise<void> {
  await onDatabase(flags, (client) => changePartitionInterval(client, wanted));
  await list(flags);
}
