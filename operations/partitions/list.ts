import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';
import { UsageError } from '../../runtime/usage-error.ts';

export interface PartitionInfo {
  table: string;
  partition: string;
  timeColumn: string;
  isDefault: boolean;
  /** False for one that an archive run detached and did not drop. */
  attached: boolean;
  /** Null for the default partition. */
  from: Date | null;
  to: Date | null;
  rowsEstimate: number;
  /** With its indexes. */
  bytes: number;
  /** Older than the table's retention: the next maintenance drops it. */
  expired: boolean;
}

export interface PartitionList {
  partitions: PartitionInfo[];
  /** Rows that found no partition, counted. More than 0 is an alarm: they block the partition they belong to. */
  defaultRows: { table: string; rows: number }[];
}

/** The partitions of all daily tables; none where the topology has none. */
export async function listPartitions(client: Client): Promise<PartitionList> {
  const text = await readFile(new URL('./sql/list_partitions.sql', import.meta.url), 'utf8');
  const partitions = await client.query<PartitionInfo>(text);
  const outside = await client.query<{ table: string; rows: number }>(
    'select table_name as "table", row_count::float8 as rows from default_partition_rows() order by 1',
  );
  return { partitions: partitions.rows, defaultRows: outside.rows };
}

/** One partition by its name. @throws Error when there is none. */
export async function findPartition(client: Client, name: string): Promise<PartitionInfo> {
  const { partitions } = await listPartitions(client);
  const found = partitions.find(({ partition }) => partition === name);
  if (!found) throw new Error(`No partition ${name}. See: lab partitions list`);
  return found;
}

/** Partitions that are attached and ended by then; of one table only where one is named. */
export async function partitionsEndedBefore(client: Client, until: Date, table?: string): Promise<string[]> {
  const { partitions } = await listPartitions(client);
  refuseUnknownTable(partitions, table);
  return partitions
    .filter((one) => one.attached && one.to && one.to <= until && (table === undefined || one.table === table))
    .map((one) => one.partition);
}

/** @throws UsageError that names the tables there are. */
export function refuseUnknownTable(partitions: readonly { table: string }[], wanted: string | undefined): void {
  const tables = [...new Set(partitions.map(({ table }) => table))];
  if (wanted === undefined || tables.includes(wanted)) return;
  const choice = tables.length === 0 ? 'No table is partitioned here' : `Choose from ${tables.join(', ')}`;
  throw new UsageError(`There is no partitioned table ${wanted}. ${choice}.`);
}
