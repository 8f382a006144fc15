import { type Client, escapeIdentifier } from 'pg';
import { hasExtension } from '../../kernel/postgres/extension.ts';
import { shardingExtension } from '../../kernel/topology.ts';
import { type LockReport, withShortLock } from '../short-lock.ts';
import { type AttachTableOptions, attachTable, contentHash } from './archive.ts';
import { columnsOf, formatOf } from './columns.ts';
import { listPartitions } from './list.ts';
import { type ArchiveManifest, readArchive, readManifest } from './parquet.ts';

export interface AttachOptions extends AttachTableOptions {
  /** A file of `archivePartition`, or the name of a table that it detached. */
  source: string;
  /** Attaches what the next maintenance drops again. */
  force: boolean;
  now: () => Date;
}

export interface Attached {
  table: string;
  partition: string;
  rows: number;
  locks: LockReport[];
}

/**
 * Puts an archived partition back: loads the file into a new table, compares rows and hash with what was exported, and
 * attaches the table. @throws Error when anything differs; nothing is left behind then.
 */
export async function attachPartition(client: Client, options: AttachOptions): Promise<Attached> {
  await client.query("set timezone = 'UTC'");
  return options.source.endsWith('.parquet') ? attachFile(client, options) : attachDetached(client, options);
}

async function attachDetached(client: Client, options: AttachOptions): Promise<Attached> {
  const { partitions } = await listPartitions(client);
  const found = partitions.find(({ partition, attached }) => partition === options.source && !attached);
  if (!found) throw new Error(`${options.source} is neither a .parquet file nor a detached partition.`);
  await checkRetention(client, found.table, found.to!, options);
  const locks = await attachTable(client, found, options);
  const { rows } = await contentHash(client, found.partition);
  return { table: found.table, partition: found.partition, rows, locks };
}

async function attachFile(client: Client, options: AttachOptions): Promise<Attached> {
  const manifest = await readManifest(options.source);
  const { table, partition, rows } = manifest;
  const to = new Date(manifest.to);
  const timeColumn = await checkRetention(client, table, to, options);
  await checkColumns(client, manifest);
  await removeEmpty(client, table, partition, options);
  options.progress(`loading ${rows} rows into ${partition}`);
  await client.query('begin');
  try {
    await client.query(
      `create table public.${escapeIdentifier(partition)} (like public.${escapeIdentifier(table)} including all)`,
    );
    await spreadLike(client, partition, table);
    await load(client, manifest, options.source);
    const content = await contentHash(client, partition);
    if (content.rows !== rows || content.hash !== manifest.postgresHash) {
      throw new Error(
        `${partition}: ${content.rows} rows with hash ${content.hash} came out of the file, other than went in.`,
      );
    }
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
  try {
    const locks = await attachTable(
      client,
      { table, partition, timeColumn, from: new Date(manifest.from), to },
      options,
    );
    await client.query(`analyze public.${escapeIdentifier(partition)}`);
    return { table, partition, rows, locks };
  } catch (error) {
    await client.query(`drop table public.${escapeIdentifier(partition)}`);
    throw error;
  }
}

/** In a cluster the rows go to their workers as they are loaded: PostgreSQL would move them there under the lock. */
async function spreadLike(client: Client, partition: string, table: string): Promise<void> {
  if (!(await hasExtension(client, shardingExtension))) return;
  await client.query(
    `select create_distributed_table($1::text, distribution_column, colocate_with => $2::text)
     from citus_tables where table_name = $2::text::regclass`,
    [`public.${escapeIdentifier(partition)}`, `public.${escapeIdentifier(table)}`],
  );
}

/** Maintenance may have made the day's partition anew. An empty one makes way; one with rows is refused. */
async function removeEmpty(client: Client, table: string, partition: string, options: AttachOptions): Promise<void> {
  const name = `public.${escapeIdentifier(partition)}`;
  const known = await client.query('select to_regclass($1) is not null as yes', [name]);
  if (!known.rows[0].yes) return;
  await withShortLock(
    client,
    {
      step: `replace ${partition}`,
      lock: `lock table only public.${escapeIdentifier(table)} in access exclusive mode`,
      tables: [name],
      maxLockMs: options.maxLockMs,
      progress: options.progress,
    },
    async () => {
      const { rows } = await client.query(`select exists (select 1 from ${name}) as used`);
      if (rows[0].used) throw new Error(`There is a table ${partition} with rows in it already.`);
      await client.query(`drop table ${name}`);
    },
  );
}

/** @returns the table's time column. */
async function checkRetention(client: Client, table: string, to: Date, { force, now }: AttachOptions): Promise<string> {
  const { rows } = await client.query<{ column: string; expired: boolean }>(
    `select time_column as "column", $2::timestamptz <= $3::timestamptz - retention as expired
     from retention_settings where table_name = $1 and to_regclass('public.' || table_name) is not null`,
    [table, to, now()],
  );
  if (!rows[0]) throw new Error(`There is no table ${table} here.`);
  if (rows[0].expired && !force) {
    throw new Error(
      `These rows are older than ${table} keeps them: the next maintenance would drop them again. ` +
        'Query the file instead, lengthen the retention, or use --force.',
    );
  }
  return rows[0].column;
}

async function checkColumns(client: Client, manifest: ArchiveManifest): Promise<void> {
  const names = (columns: readonly { name: string; type: string }[]) =>
    columns.map(({ name, type }) => `${name} ${type}`).join(', ');
  const now = names(await columnsOf(client, manifest.table));
  const then = names(manifest.columns);
  if (now !== then) throw new Error(`${manifest.table} has other columns now: ${now}; the archive has ${then}.`);
}

async function load(client: Client, { partition, columns }: ArchiveManifest, file: string): Promise<void> {
  const list = columns.map(({ name }) => escapeIdentifier(name)).join(', ');
  const casts = columns.map(({ name, type }) => `${escapeIdentifier(name)}::${type}`).join(', ');
  const arrays = columns.map((_column, index) => `$${index + 1}::text[]`).join(', ');
  const insert = `insert into public.${escapeIdentifier(partition)} (${list}) select ${casts} from unnest(${arrays}) as r (${list})`;
  for await (const rows of readArchive(file)) {
    const values = columns.map((column, index) => {
      const toInput = formatOf(column).toInput ?? String;
      return rows.map((row) => (row[index] === null ? null : toInput(row[index]!)));
    });
    await client.query(insert, values);
  }
}
