import { type Client, escapeIdentifier, escapeLiteral } from 'pg';
import { type LockReport, withShortLock } from '../short-lock.ts';
import { listPartitions } from './list.ts';

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
  locks: LockReport[];
}

/** Above this, deleting would take too long under the lock, and the default partition is truncated. */
const deletedRows = 50_000;

/**
 * Moves the rows of default partitions into partitions of their own. The bulk is copied into tables that nobody sees
 * yet. Under a short lock follow the rows that came meanwhile, then the default partition is
 * emptied and the new partitions are attached, all in one transaction: a reader sees each row exactly once.
 */
export async function rescueDefaultRows(client: Client, options: RescueOptions): Promise<Rescued[]> {
  const { partitions, defaultRows } = await listPartitions(client);
  const rescued: Rescued[] = [];
  for (const { table, rows } of defaultRows) {
    const home = partitions.find((partition) => partition.table === table && partition.isDefault);
    if (rows === 0 || !home) continue;
    options.progress(`${table}: ${rows} rows in the default partition`);
    rescued.push(await rescueTable(client, { table, home: home.partition, timeColumn: home.timeColumn }, options));
  }
  return rescued;
}

interface Place {
  table: string;
  /** The default partition. */
  home: string;
  timeColumn: string;
}

async function rescueTable(client: Client, place: Place, options: RescueOptions): Promise<Rescued> {
  const { table, home } = place;
  const locks: LockReport[] = [];
  const days = new Map<string, string>();
  try {
    await copyNewDays(client, place, days);
    const rows = await withShortLock(
      client,
      {
        ...options,
        step: `rescue ${table}`,
        // On the parent too: a reader that has read the old list of partitions and waits for the default one would
        // find the rows in neither.
        lock: `lock table only public.${escapeIdentifier(table)} in access exclusive mode;
          lock table public.${escapeIdentifier(home)} in access exclusive mode`,
        tables: [`public.${home}`],
        note: async (lock) => void locks.push(lock),
        beforeRetry: () => copyNewDays(client, place, days),
      },
      () => moveUnderLock(client, place, days),
    );
    for (const partition of days.values()) await client.query(`analyze public.${escapeIdentifier(partition)}`);
    return { table, rows, partitions: [...days.values()], locks };
  } catch (error) {
    for (const partition of days.values()) await dropUnattached(client, partition);
    throw error;
  }
}

/** Copies what is in the default partition and not yet in the new tables, which are made as days appear. */
async function copyNewDays(client: Client, place: Place, days: Map<string, string>): Promise<void> {
  for (const day of await daysIn(client, place)) {
    if (!days.has(day)) days.set(day, await createDay(client, place, day));
    await client.query(copyMissing(place, day, days.get(day)!, await keyOf(client, place.table)));
  }
}

async function moveUnderLock(client: Client, place: Place, days: Map<string, string>): Promise<number> {
  const key = await keyOf(client, place.table);
  const table = escapeIdentifier(place.table);
  for (const day of await daysIn(client, place)) {
    const partition = days.get(day) ?? (await createDay(client, place, day));
    days.set(day, partition);
    await client.query(copyMissing(place, day, partition, key));
  }
  // Nothing may vanish: what was changed or removed while it was copied goes the whole way again.
  const original = await contentOf(client, [place.home]);
  const copies = await contentOf(client, [...days.values()]);
  if (original.hash !== copies.hash || original.rows !== copies.rows) {
    throw new Error(`${place.home} was changed while it was copied. Try again.`);
  }
  // A snapshot that is older than this transaction still finds deleted rows, but no truncated ones.
  const isSmall = original.rows <= deletedRows;
  await client.query(`${isSmall ? 'delete from' : 'truncate only'} public.${escapeIdentifier(place.home)}`);
  for (const [day, partition] of days) {
    const name = escapeIdentifier(partition);
    await client.query(
      `alter table public.${table} attach partition public.${name} for values from (${escapeLiteral(day)}) to (${escapeLiteral(nextDay(day))});
       alter table public.${name} drop constraint lab_bounds`,
    );
  }
  return original.rows;
}

/** Number of rows and an order-independent hash over all these tables. */
async function contentOf(client: Client, tables: readonly string[]): Promise<{ rows: number; hash: string }> {
  const sides = tables.map(
    (table) =>
      `select count(*) as count, coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) as hash from public.${escapeIdentifier(table)} t`,
  );
  const { rows } = await client.query(
    `select coalesce(sum(count), 0)::int as rows, coalesce(sum(hash), 0)::text as hash from (${sides.join(' union all ')}) sides`,
  );
  return rows[0];
}

/** UTC days, `2026-01-31`, of which the default partition holds rows. */
async function daysIn(client: Client, { home, timeColumn }: Place): Promise<string[]> {
  const { rows } = await client.query<{ day: string }>(
    `select distinct (${escapeIdentifier(timeColumn)} at time zone 'UTC')::date::text as day from public.${escapeIdentifier(home)} order by 1`,
  );
  return rows.map(({ day }) => day);
}

/** A table like the parent's partitions whose check constraint spares the attachment its scan. */
async function createDay(client: Client, { table, timeColumn }: Place, day: string): Promise<string> {
  const partition = await partitionName(client, table, day);
  const [name, parent, time] = [partition, table, timeColumn].map(escapeIdentifier);
  await client.query(
    `create table public.${name} (like public.${parent} including all);
     alter table public.${name} add constraint lab_bounds
       check (${time} is not null and ${time} >= ${escapeLiteral(day)} and ${time} < ${escapeLiteral(nextDay(day))})`,
  );
  return partition;
}

/** As pg_partman names it where it keeps the partitions: 4.x writes 2026_01_31, 5.x and the lab 20260131. */
async function partitionName(client: Client, table: string, day: string): Promise<string> {
  const { rows } = await client.query(
    "select extversion like '4.%' as four from pg_extension where extname = 'pg_partman'",
  );
  return `${table}_p${rows[0]?.four ? day.replaceAll('-', '_') : day.replaceAll('-', '')}`;
}

function copyMissing({ home, timeColumn }: Place, day: string, partition: string, key: string[]): string {
  const [source, target, time] = [home, partition, timeColumn].map(escapeIdentifier);
  const same = key.map((column) => `t.${escapeIdentifier(column)} = s.${escapeIdentifier(column)}`).join(' and ');
  return `insert into public.${target}
    select s.* from public.${source} s
    where s.${time} >= ${escapeLiteral(day)} and s.${time} < ${escapeLiteral(nextDay(day))}
      and not exists (select from public.${target} t where ${same})`;
}

async function keyOf(client: Client, table: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select a.attname as name from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
     where i.indrelid = $1::regclass and i.indisprimary`,
    [`public.${table}`],
  );
  return rows.map(({ name }) => name);
}

async function dropUnattached(client: Client, partition: string): Promise<void> {
  const { rows } = await client.query(
    `select 1 from pg_class c where c.oid = to_regclass($1) and not c.relispartition`,
    [`public.${partition}`],
  );
  if (rows.length > 0) await client.query(`drop table public.${escapeIdentifier(partition)}`);
}

function nextDay(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}
