import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Client } from 'pg';
import { withClient } from '../kernel/postgres/with-client.ts';
import { type Archived, archivePartition } from '../operations/partitions/archive.ts';
import { attachPartition } from '../operations/partitions/attach.ts';
import { listPartitions, maintain as runMaintenance } from '../operations/partitions/list.ts';
import { queryArchives } from '../operations/partitions/query.ts';
import { rescueDefaultRows } from '../operations/partitions/rescue.ts';
import type { LockReport } from '../operations/short-lock.ts';
import { UsageError } from '../runtime/usage-error.ts';
import type { ArchiveFlags, LockFlags, TargetFlags } from './commands/partitions.ts';
import { type DatabaseTarget, findDatabase } from './database-target.ts';
import { print, printJson, progress, table } from './output.ts';

/** `lab partitions list`; status 1 when rows lie in a default partition. */
export async function list(flags: TargetFlags & { table?: string }): Promise<void> {
  const found = await onDatabase(flags, (client) => listPartitions(client));
  checkTable(found.partitions, flags.table);
  const partitions = found.partitions.filter((partition) => !flags.table || partition.table === flags.table);
  const defaultRows = found.defaultRows.filter((row) => !flags.table || row.table === flags.table);
  if (flags.json) printJson({ partitions, defaultRows });
  else if (partitions.length === 0) print('No table is partitioned here.');
  else {
    const rows = partitions.map((partition) => [
      ...[partition.table, partition.partition, bounds(partition.from, partition.to)],
      ...[String(Math.round(partition.rowsEstimate)), megabytes(partition.bytes)],
      !partition.attached ? 'detached' : partition.expired ? 'expired' : '',
    ]);
    print(table(['table', 'partition', 'from – to', 'rows (estimate)', 'size', ''], rows));
  }
  const outside = defaultRows.filter(({ rows }) => rows > 0);
  for (const { table: name, rows } of outside) {
    progress(`alarm: ${rows} rows in the default partition of ${name}. Move them with: lab partitions rescue`);
  }
  if (outside.length > 0) process.exitCode = 1;
}

/** `lab partitions maintain` */
export async function maintain(flags: TargetFlags): Promise<void> {
  const maintained = await onDatabase(flags, runMaintenance);
  if (flags.json) printJson({ tables: maintained });
  else {
    const rows = maintained.map(({ table: name, created, dropped, deleted }) => [name, created, dropped, deleted]);
    print(table(['table', 'created', 'dropped', 'rows deleted'], rows));
  }
}

/** `lab partitions rescue` */
export async function rescue(flags: LockFlags): Promise<void> {
  const { maxLockMs } = flags;
  const rescued = await onDatabase(flags, (client) => rescueDefaultRows(client, { maxLockMs, progress }));
  if (flags.json) printJson({ tables: rescued });
  else if (rescued.length === 0) print('No row lies in a default partition.');
  else {
    const rows = rescued.map((entry) => [
      ...[entry.table, String(entry.rows), entry.partitions.join(', '), longest(entry.locks)],
    ]);
    print(table(['table', 'rows', 'now in', 'longest lock'], rows));
  }
}

/** `lab partitions archive`: one partition, or all that ended long enough ago. */
export async function archive(partition: string | undefined, flags: ArchiveFlags): Promise<void> {
  const { maxLockMs, keep = false, olderThan } = flags;
  if ((partition === undefined) === (olderThan === undefined)) {
    throw new UsageError('Name a partition, or use --older-than.');
  }
  if (partition !== undefined && flags.table !== undefined) {
    throw new UsageError('--table goes with --older-than: a partition belongs to one table.');
  }
  const archives = await onDatabase(flags, async (client, { run }) => {
    const directory = flags.directory ?? (run && path.join(run.runDirectory, 'archives'));
    if (directory === undefined) throw new UsageError('--dsn needs --directory: the file has to go somewhere.');
    await mkdir(directory, { recursive: true }).catch(({ message }) => {
      throw new UsageError(`--directory: ${message}`);
    });
    const done: Archived[] = [];
    for (const name of partition === undefined ? await endedBefore(client, flags) : [partition]) {
      const options = { partition: name, directory: path.resolve(directory), keep, maxLockMs };
      done.push(await archivePartition(client, { ...options, now: () => new Date(), progress }));
    }
    return done;
  });
  if (flags.json) printJson(partition === undefined ? { archives } : archives[0]);
  else if (archives.length === 0) print('No partition is that old.');
  for (const archived of flags.json ? [] : archives) print(`${describeArchive(archived)}\n`);
}

async function endedBefore(client: Client, { olderThan, table: wanted }: ArchiveFlags): Promise<string[]> {
  const until = Date.now() - olderThan! * 86_400_000;
  const { partitions } = await listPartitions(client);
  checkTable(partitions, wanted);
  return partitions
    .filter(({ table: name, attached, to }) => attached && to && Number(to) <= until && (!wanted || name === wanted))
    .map((entry) => entry.partition);
}

/** @throws UsageError that names the tables there are. */
function checkTable(partitions: readonly { table: string }[], wanted: string | undefined): void {
  const tables = [...new Set(partitions.map(({ table: name }) => name))];
  if (wanted === undefined || tables.includes(wanted)) return;
  const choice = tables.length === 0 ? 'No table is partitioned here' : `Choose from ${tables.join(', ')}`;
  throw new UsageError(`There is no partitioned table ${wanted}. ${choice}.`);
}

function describeArchive({ file, fileBytes, tableBytes, manifest, dropped, locks }: Archived): string {
  return table(
    [],
    [
      ['file', `${file}, ${megabytes(fileBytes)} (${megabytes(tableBytes)} in the database)`],
      ['rows', `${manifest.rows}, hash ${manifest.rowHash}`],
      ['partition', dropped ? 'dropped' : 'detached'],
      ['longest lock', longest(locks)],
    ],
  );
}

/** `lab partitions attach` */
export async function attach(source: string, flags: LockFlags & { force?: boolean }): Promise<void> {
  const { maxLockMs, force = false } = flags;
  const attached = await onDatabase(flags, (client) =>
    attachPartition(client, { source, force, maxLockMs, now: () => new Date(), progress }),
  );
  if (flags.json) printJson(attached);
  else
    print(
      `${attached.rows} rows are back in ${attached.table} as ${attached.partition}; longest lock ${longest(attached.locks)}.`,
    );
}

/** `lab partitions query` */
export async function query(files: readonly string[], flags: { sql: string; json?: boolean }): Promise<void> {
  const rows = await queryArchives(files, flags.sql);
  if (flags.json) printJson({ rows });
  else if (rows.length === 0) print('No rows.');
  else {
    const head = Object.keys(rows[0]!);
    print(
      table(
        head,
        rows.map((row) => head.map((name) => String(row[name]))),
      ),
    );
  }
}

async function onDatabase<T>(
  flags: TargetFlags,
  work: (client: Client, target: DatabaseTarget) => Promise<T>,
): Promise<T> {
  const target = await findDatabase(flags);
  return withClient(target.dsn, (client) => work(client, target));
}

function bounds(from: Date | null, to: Date | null): string {
  const short = (bound: Date) => bound.toISOString().slice(0, 16).replace('T', ' ').replace(' 00:00', '');
  return from && to ? `${short(from)} – ${short(to)}` : 'default';
}

function megabytes(bytes: number): string {
  return bytes < 1e5 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function longest(locks: readonly LockReport[]): string {
  if (locks.length === 0) return 'none';
  return `${Math.max(...locks.map(({ waitedMs, heldMs }) => waitedMs + heldMs)).toFixed(1)} ms`;
}
