import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';

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

export interface Maintained {
  table: string;
  created: number;
  dropped: number;
  deleted: number;
}

/** Runs the maintenance until no table has a full batch of expired rows left. @returns sums per table. */
export async function maintain(client: Client): Promise<Maintained[]> {
  const batchRows = 10_000;
  const sums = new Map<string, Maintained>();
  for (let full = true; full; ) {
    const { rows } = await client.query<Maintained>(
      `select table_name as "table", created, dropped, deleted::float8 as deleted from run_maintenance($1)`,
      [batchRows],
    );
    for (const row of rows) {
      const sum = sums.get(row.table) ?? { table: row.table, created: 0, dropped: 0, deleted: 0 };
      sums.set(row.table, {
        ...sum,
        ...{
          created: sum.created + row.created,
          dropped: sum.dropped + row.dropped,
          deleted: sum.deleted + row.deleted,
        },
      });
    }
    full = rows.some(({ deleted }) => deleted >= batchRows);
  }
  return [...sums.values()];
}
