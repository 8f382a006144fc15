import { type Client, escapeIdentifier, escapeLiteral } from 'pg';
import { hasExtension } from '../../kernel/postgres/extension.ts';
import { shardingExtension } from '../../kernel/topology.ts';
import { captureRows, createChangeLog, endCapture, inSnapshot, replayAll, replayOldest } from '../change-log.ts';
import { type LockReport, type ShortLockOptions, withShortLock } from '../short-lock.ts';
import { listPartitions } from './list.ts';
import {
  bringOver,
  cleanUp,
  copyDay,
  createDay,
  daysIn,
  homeOf,
  isComplete,
  logOf,
  movable,
  nextDay,
  type OddRow,
  oddRows,
  type Place,
} from './rescue-days.ts';

export interface RescueOptions {
  maxLockMs: number;
  lockAttempts?: number;
  progress: (line: string) => void;
}

export interface Rescued {
  table: string;
  rows: number;
  /** Partitions that were made for them. */
  partitions: string[];
  /** Rows that stay where they are: no partition can have their time. `rows` are the first of them. */
  left: { count: number; rows: OddRow[] };
  locks: LockReport[];
}

/** Above this, deleting would take too long under the lock, and the default partition is truncated. */
const deletedRows = 50_000;
/** Rows that are named, of those that stay. */
const namedRows = 20;
/** Session lock: one rescue at a time. The number only has to be the lab's own. */
const lockId = 7_203_114_885_123;

/**
 * Moves the rows of default partitions into partitions of their own. The bulk is copied into tables that no reader sees
 * yet, while a trigger notes what changes; both sides are compared. Under a short lock the last changes follow, the
 * default partition is emptied and the new partitions are attached, all in one transaction: a reader sees each row
 * exactly once. What a killed call left is removed by the next one. Rows whose time no partition can have are named and
 * stay.
 */
export async function rescueDefaultRows(client: Client, options: RescueOptions): Promise<Rescued[]> {
  const { rows: locked } = await client.query('select pg_try_advisory_lock($1) as free', [lockId]);
  if (!locked[0].free) throw new Error('Another rescue works on this database.');
  await client.query("set timezone = 'UTC'");
  await cleanUp(client);
  const { partitions, defaultRows } = await listPartitions(client);
  const rescued: Rescued[] = [];
  try {
    for (const { table, rows } of defaultRows) {
      const home = partitions.find((partition) => partition.table === table && partition.isDefault);
      if (rows === 0 || !home) continue;
      await refuseCluster(client, table);
      options.progress(`${table}: ${rows} rows in the default partition`);
      const place = { table, home: home.partition, timeColumn: home.timeColumn, key: await keyOf(client, table) };
      const left = await oddRows(client, place, namedRows);
      for (const row of left.rows) {
        options.progress(
          `${table}: the row ${JSON.stringify(row.key)} stays, since no partition can have its time ${row.time}`,
        );
      }
      const moves = left.count < rows;
      rescued.push(
        moves ? await rescueTable(client, place, left, options) : { table, rows: 0, partitions: [], left, locks: [] },
      );
    }
  } finally {
    await cleanUp(client);
    await client.query('select pg_advisory_unlock($1)', [lockId]);
  }
  return rescued;
}

/** Citus has no triggers on distributed tables, so nothing would note what changes meanwhile. */
async function refuseCluster(client: Client, table: string): Promise<void> {
  if (!(await hasExtension(client, shardingExtension))) return;
  throw new Error(
    `${table}: rows in a default partition of a cluster can't be moved while they change. Move them in one transaction: ` +
      'docs/guides/partitions.md.',
  );
}

async function rescueTable(
  client: Client,
  place: Place,
  left: Rescued['left'],
  options: RescueOptions,
): Promise<Rescued> {
  const locks: LockReport[] = [];
  const lock = (step: string, statement: string): ShortLockOptions => ({
    ...options,
    step: `${step} ${place.table}`,
    lock: statement,
    tables: [homeOf(place)],
    note: async (report) => void locks.push(report),
  });
  const log = logOf(place);
  await client.query('create schema rescue');
  await createChangeLog(client, log);
  await withShortLock(client, lock('capture', `lock table ${homeOf(place)} in share row exclusive mode`), () =>
    captureRows(client, log),
  );
  const days = await copyDays(client, place);
  await catchUp(client, place, days);
  if (!(await inSnapshot(client, () => isComplete(client, place, [...days.values()])))) {
    throw new Error(`${place.home}: the copy differs. Nothing was moved.`);
  }
  const beforeRetry = () => catchUp(client, place, days);
  await beforeRetry();
  // The parent too: a reader that has read the old list of partitions and waits for the default one would find the
  // rows in neither.
  const statement = `lock table only public.${escapeIdentifier(place.table)} in access exclusive mode;
    lock table ${homeOf(place)} in access exclusive mode`;
  const rows = await withShortLock(client, { ...lock('rescue', statement), beforeRetry }, (_client, goOn) =>
    moveUnderLock(client, place, days, goOn),
  );
  await cleanUp(client);
  return { table: place.table, rows, partitions: [...days.values()].sort(), left, locks };
}

/** @returns the new partition of each day, as in `2026-01-31`. */
async function copyDays(client: Client, place: Place): Promise<Map<string, string>> {
  const days = new Map<string, string>();
  for (const day of await daysIn(client, place)) {
    const partition = await createDay(client, place, day);
    days.set(day, partition);
    await copyDay(client, place, day, partition);
    await client.query(`analyze public.${escapeIdentifier(partition)}`);
  }
  return days;
}

/** Entries that are brought over in one transaction. */
const batchRows = 20_000;
/** Entries that may be left for the time under the lock. */
const leftForLock = 1_000;

async function catchUp(client: Client, place: Place, days: Map<string, string>): Promise<void> {
  for (let used = Number.POSITIVE_INFINITY; used > leftForLock; ) {
    used = await inSnapshot(client, () =>
      replayOldest(client, logOf(place), batchRows, (changes) => bringOver(client, place, days, changes)),
    );
  }
}

async function moveUnderLock(
  client: Client,
  place: Place,
  days: Map<string, string>,
  goOn: () => void,
): Promise<number> {
  // A day that is made here goes with the transaction when that fails, and so must its name.
  const all = new Map(days);
  const log = logOf(place);
  // Writers are kept out: the log ends.
  await replayAll(client, log, batchRows, (changes) => bringOver(client, place, all, changes), goOn);
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::float8 as count from ${homeOf(place)} where ${movable(place)}`,
  );
  const count = rows[0]!.count;
  await endCapture(client, log);
  await client.query(count <= deletedRows ? `delete from ${homeOf(place)} where ${movable(place)}` : truncated(place));
  for (const [day, partition] of all) {
    goOn();
    await attachDay(client, place.table, day, partition);
  }
  for (const [day, partition] of all) days.set(day, partition);
  return count;
}

/** A snapshot that is older than this transaction still finds deleted rows, but no truncated ones. */
function truncated(place: Place): string {
  const home = homeOf(place);
  return `create temporary table staying on commit drop as select * from ${home} where not ${movable(place)};
    truncate only ${home};
    insert into ${home} select * from staying`;
}

async function attachDay(client: Client, table: string, day: string, partition: string): Promise<void> {
  const name = escapeIdentifier(partition);
  await client.query(
    `alter table public.${escapeIdentifier(table)} attach partition public.${name}
       for values from (${escapeLiteral(day)}) to (${escapeLiteral(nextDay(day))});
     alter table public.${name} drop constraint lab_bounds;
     comment on table public.${name} is null`,
  );
}

async function keyOf(client: Client, table: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select a.attname as name from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
     where i.indrelid = $1::regclass and i.indisprimary`,
    [`public.${table}`],
  );
  return rows.map(({ name }) => name);
}
