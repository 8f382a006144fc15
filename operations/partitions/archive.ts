import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Client, escapeIdentifier, escapeLiteral } from 'pg';
import Cursor from 'pg-cursor';
import { type LockReport, withShortLock } from '../short-lock.ts';
import { columnsOf, selectList } from './columns.ts';
import { findPartition, type PartitionInfo } from './list.ts';
import { type ArchiveManifest, readArchive, rowGroupRows, writeArchive } from './parquet.ts';

export interface ArchiveOptions {
  partition: string;
  /** Where the file goes. */
  directory: string;
  /** Leaves the detached table instead of dropping it. */
  keep: boolean;
  maxLockMs: number;
  lockAttempts?: number;
  now: () => Date;
  /** Waited for, so that a test may do something in between. */
  progress: (line: string) => void | Promise<void>;
}

export interface Archived {
  file: string;
  fileBytes: number;
  /** What the partition took in the database, indexes included. */
  tableBytes: number;
  manifest: ArchiveManifest;
  dropped: boolean;
  locks: LockReport[];
}

/**
 * Exports a partition to Parquet, reads the file back and compares it, detaches the partition, makes sure that it is
 * still what was exported, and only then drops it. A failure leaves the rows in the database.
 * @throws Error when the partition may still receive rows, or when anything differs.
 */
export async function archivePartition(client: Client, options: ArchiveOptions): Promise<Archived> {
  await client.query("set timezone = 'UTC'");
  const partition = await findPartition(client, options.partition);
  checkArchivable(partition, options.now());
  const file = path.join(options.directory, `${partition.partition}.parquet`);
  await mkdir(options.directory, { recursive: true });
  if (await stat(file).catch(() => undefined)) throw new Error(`${file} exists already; move it away first.`);
  options.progress(`exporting ${partition.partition}`);
  const manifest = await exportPartition(client, partition, file, options.now());
  await options.progress('reading the file back');
  for await (const _rows of readArchive(file)) {
    // The comparison with the manifest is all that matters here.
  }
  const locks = await detach(client, partition, options);
  const content = await contentHash(client, partition.partition);
  if (content.rows !== manifest.rows || content.hash !== manifest.postgresHash) {
    await attachTable(client, partition, options);
    throw new Error(`${partition.partition} changed while it was exported. It is attached again; nothing was dropped.`);
  }
  if (!options.keep) await client.query(`drop table public.${escapeIdentifier(partition.partition)}`);
  const { size } = await stat(file);
  return { file, fileBytes: size, tableBytes: partition.bytes, manifest, dropped: !options.keep, locks };
}

function checkArchivable(partition: PartitionInfo, now: Date): void {
  const { partition: name, isDefault, attached, to } = partition;
  if (isDefault) throw new Error(`${name} is the default partition: its rows have to be rescued, not archived.`);
  if (!attached) throw new Error(`${name} is detached already. Put it back with: lab partitions attach ${name}`);
  if (to === null || to > now) throw new Error(`${name} may still receive rows until ${to?.toISOString()}.`);
}

/** Rows and hash come from one snapshot, so they describe the same content. */
async function exportPartition(client: Client, partition: PartitionInfo, file: string, now: Date) {
  await client.query('begin transaction isolation level repeatable read read only');
  try {
    const columns = await columnsOf(client, partition.partition);
    const content = await contentHash(client, partition.partition);
    const select = `select ${selectList(columns)} from public.${escapeIdentifier(partition.partition)}`;
    return await writeArchive(file, columns, readGroups(client, select), ({ rows, rowHash }) => {
      if (rows !== content.rows) throw new Error(`${rows} rows were read, ${content.rows} counted.`);
      return {
        format: 'payments-lab-partition/1',
        table: partition.table,
        partition: partition.partition,
        from: partition.from!.toISOString(),
        to: partition.to!.toISOString(),
        columns,
        rows,
        rowHash,
        postgresHash: content.hash,
        exportedAt: now.toISOString(),
      };
    });
  } finally {
    await client.query('rollback');
  }
}

async function* readGroups(client: Client, select: string): AsyncGenerator<(string | null)[][]> {
  const cursor = client.query(new Cursor<(string | null)[]>(select, [], { rowMode: 'array', types: asText }));
  try {
    for (;;) {
      const rows = await cursor.read(rowGroupRows);
      if (rows.length === 0) return;
      yield rows;
    }
  } finally {
    await cursor.close();
  }
}

const asText = { getTypeParser: () => (value: string) => value };

/** Rows and the order-independent sum of PostgreSQL's hashes of them. */
export async function contentHash(client: Client, table: string): Promise<{ rows: number; hash: string }> {
  const { rows } = await client.query<{ rows: number; hash: string }>(
    `select count(*)::float8 as rows, coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text as hash
     from public.${escapeIdentifier(table)} t`,
  );
  return rows[0]!;
}

/**
 * Takes the partition out of its table. The comment keeps its bounds, for the case that this process ends before it
 * drops the table. Concurrently where that is possible: PostgreSQL refuses it beside a default partition.
 */
async function detach(client: Client, partition: PartitionInfo, options: ArchiveOptions): Promise<LockReport[]> {
  const [parent, name] = [partition.table, partition.partition].map(escapeIdentifier);
  const note = { lab_partition_of: partition.table, from: partition.from, to: partition.to };
  const comment = `comment on table public.${name} is ${escapeLiteral(JSON.stringify(note))}`;
  if (!(await hasDefault(client, partition.table))) {
    await client.query(comment);
    await client.query(`alter table public.${parent} detach partition public.${name} concurrently`);
    return [];
  }
  const locks: LockReport[] = [];
  await withShortLock(
    client,
    {
      ...options,
      step: `detach ${partition.partition}`,
      lock: `lock table only public.${parent} in access exclusive mode`,
      tables: [`public.${partition.table}`, `public.${partition.partition}`],
      note: async (lock) => void locks.push(lock),
    },
    async () => {
      // One statement at a time: Citus takes no others.
      await client.query(`alter table public.${parent} detach partition public.${name}`);
      await client.query(comment);
    },
  );
  return locks;
}

async function hasDefault(client: Client, table: string): Promise<boolean> {
  const { rows } = await client.query(
    'select partdefid <> 0 as known from pg_partitioned_table where partrelid = $1::regclass',
    [`public.${table}`],
  );
  return rows[0].known;
}

export interface AttachTableOptions {
  maxLockMs: number;
  lockAttempts?: number;
  progress: (line: string) => void;
}

/** Makes a table a partition. A check constraint that says the same spares PostgreSQL the scan under the lock. */
export async function attachTable(
  client: Client,
  place: Pick<PartitionInfo, 'table' | 'partition' | 'timeColumn' | 'from' | 'to'>,
  options: AttachTableOptions,
): Promise<LockReport[]> {
  const [parent, name, time] = [place.table, place.partition, place.timeColumn].map(escapeIdentifier);
  const [from, to] = [place.from!, place.to!].map((bound) => escapeLiteral(bound.toISOString()));
  await client.query(`alter table public.${name} drop constraint if exists lab_bounds`);
  await client.query(
    `alter table public.${name}
       add constraint lab_bounds check (${time} is not null and ${time} >= ${from} and ${time} < ${to})`,
  );
  const locks: LockReport[] = [];
  await withShortLock(
    client,
    {
      ...options,
      step: `attach ${place.partition}`,
      lock: `lock table only public.${parent} in share update exclusive mode`,
      tables: [`public.${place.table}`],
      note: async (lock) => void locks.push(lock),
    },
    async () => {
      await client.query(
        `alter table public.${parent} attach partition public.${name} for values from (${from}) to (${to})`,
      );
      await client.query(`alter table public.${name} drop constraint lab_bounds`);
      await client.query(`comment on table public.${name} is null`);
    },
  );
  return locks;
}
