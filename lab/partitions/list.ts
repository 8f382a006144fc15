import { listPartitions, type PartitionInfo, refuseUnknownTable } from '../../operations/partitions/list.ts';
import { print, printJson, progress, table } from '../output.ts';
import type { TargetFlags } from './flags.ts';
import { onDatabase } from './on-database.ts';
import { bounds, megabytes } from './text.ts';

/** `lab partitions list`; status 1 when rows lie in a default partition. */
export async function list(flags: TargetFlags & { table?: string }): Promise<void> {
  const found = await onDatabase(flags, (client) => listPartitions(client));
  refuseUnknownTable(found.partitions, flags.table);
  const partitions = found.partitions.filter((partition) => !flags.table || partition.table === flags.table);
  const defaultRows = found.defaultRows.filter((row) => !flags.table || row.table === flags.table);
  if (flags.json) printJson({ partitions, defaultRows });
  else if (partitions.length === 0) print('No table is partitioned here.');
  else print(table(['table', 'partition', 'from – to', 'rows (estimate)', 'size', ''], partitions.map(describe)));
  const outside = defaultRows.filter(({ rows }) => rows > 0);
  for (const { table: name, rows } of outside) {
    progress(`alarm: ${rows} rows in the default partition of ${name}. Move them with: lab partitions rescue`);
  }
  if (outside.length > 0) process.exitCode = 1;
}

function describe(partition: PartitionInfo): string[] {
  return [
    partition.table,
    partition.partition,
    bounds(partition.from, partition.to),
    String(Math.round(partition.rowsEstimate)),
    megabytes(partition.bytes),
    !partition.attached ? 'detached' : partition.expired ? 'expired' : '',
  ];
}
