import { type Client, escapeIdentifier, escapeLiteral } from 'pg';
import { type ChangeLog, type LoggedChanges, logTable } from '../change-log.ts';

/** A default partition whose rows are on their way. */
export interface Place {
  table: string;
  /** The default partition. */
  home: string;
  timeColumn: string;
  /** Columns of the primary key, the time among them. */
  key: string[];
}

/** Marks the tables of a rescue that has not ended; one that was killed is found by it. */
const mark = 'lab rescue under way';

/** The log of what changes in the default partition meanwhile. */
export function logOf(place: Place): ChangeLog {
  return { schema: 'rescue', name: place.table, source: homeOf(place), columns: place.key, trigger: 'lab_rescue' };
}

/** Removes everything that a rescue leaves but attached partitions: its trigger, its log, its tables. */
export async function cleanUp(client: Client): Promise<void> {
  await client.query("set client_min_messages = 'warning'");
  await client.query('drop schema if exists rescue cascade');
  const { rows } = await client.query<{ name: string }>(
    `select relname as name from pg_class
     where relnamespace = 'public'::regnamespace and relkind = 'r' and not relispartition
       and obj_description(oid, 'pg_class') = $1`,
    [mark],
  );
  for (const { name } of rows) await client.query(`drop table public.${escapeIdentifier(name)}`);
}

/** UTC days, `2026-01-31`, of which the default partition holds rows. */
export async function daysIn(client: Client, place: Place): Promise<string[]> {
  return readDays(client, place, homeOf(place));
}

/** A row whose time is in no day that a partition can have: at ±infinity, before Christ or beyond the year 9999. */
export interface OddRow {
  /** Its time as PostgreSQL prints it. */
  time: string;
  /** Its primary key: the values by column. */
  key: Record<string, unknown>;
}

/** The rows that no day can take, at most `limit` of them, and how many there are. */
export async function oddRows(client: Client, place: Place, limit: number): Promise<{ count: number; rows: OddRow[] }> {
  const keys = place.key.map((column) => `${escapeLiteral(column)}, ${escapeIdentifier(column)}::text`).join(', ');
  const { rows } = await client.query<OddRow & { count: number }>(
    `select (count(*) over ())::float8 as count, ${escapeIdentifier(place.timeColumn)}::text as time, jsonb_build_object(${keys}) as key
     from ${homeOf(place)} s where not (${movable(place, 's.')}) order by s.${escapeIdentifier(place.timeColumn)} limit ${limit}`,
  );
  return { count: rows[0]?.count ?? 0, rows: rows.map(({ time, key }) => ({ time, key })) };
}

/** Whether a row lies in a day that a partition can have. A day's end must have four digits for its year too. */
export function movable({ timeColumn }: Place, prefix = ''): string {
  const time = `${prefix}${escapeIdentifier(timeColumn)}`;
  return `(${time} >= '0001-01-01 00:00:00+00' and ${time} < '9999-12-31 00:00:00+00')`;
}

/** A table like the parent's partitions whose check constraint spares the attachment its scan. */
export async function createDay(client: Client, place: Place, day: string): Promise<string> {
  const partition = await partitionName(client, place.table, day);
  const [name, parent, time] = [partition, place.table, place.timeColumn].map(escapeIdentifier);
  await client.query(
    `create table public.${name} (like public.${parent} including all);
     comment on table public.${name} is ${escapeLiteral(mark)};
     alter table public.${name} add constraint lab_bounds check (${time} is not null and ${within(place, '', day)})`,
  );
  return partition;
}

/** Copies one day's rows as they are now. */
export async function copyDay(client: Client, place: Place, day: string, partition: string): Promise<void> {
  await client.query(
    `insert into public.${escapeIdentifier(partition)} select s.* from ${homeOf(place)} s where ${within(place, 's.', day)}`,
  );
}

/** Brings logged changes over, in the caller's snapshot, and makes the days that are new. */
export async function bringOver(
  client: Client,
  place: Place,
  days: Map<string, string>,
  { entries }: LoggedChanges,
): Promise<void> {
  const same = (a: string, b: string) =>
    place.key.map((column) => `${a}.${escapeIdentifier(column)} = ${b}.${escapeIdentifier(column)}`).join(' and ');
  for (const day of await readDays(client, place, entries)) {
    if (!days.has(day)) days.set(day, await createDay(client, place, day));
    const target = `public.${escapeIdentifier(days.get(day)!)}`;
    await client.query(`delete from ${target} t using ${entries} c where c.removed and ${same('t', 'c')}`);
    await client.query(
      `insert into ${target}
       select s.* from (select distinct ${list(place.key)} from ${entries} e where not removed and ${within(place, 'e.', day)}) c
       join ${homeOf(place)} s on ${same('s', 'c')}
       on conflict do nothing`,
    );
  }
}

/** Whether the copies hold what the default partition holds, logged changes aside. In the caller's snapshot. */
export async function isComplete(client: Client, place: Place, partitions: readonly string[]): Promise<boolean> {
  const same = place.key.map((column) => `c.${escapeIdentifier(column)} = t.${escapeIdentifier(column)}`).join(' and ');
  const side = (table: string) =>
    `select count(*) as count, coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) as hash
     from ${table} t where ${movable(place, 't.')} and not exists (select from ${logTable(logOf(place))} c where ${same})`;
  if (partitions.length === 0) return (await daysIn(client, place)).length === 0;
  const copies = partitions.map((partition) => side(`public.${escapeIdentifier(partition)}`)).join(' union all ');
  const { rows } = await client.query(
    `select (select (sum(count), sum(hash)) from (${copies}) c) = (select (sum(count), sum(hash)) from (${side(homeOf(place))}) h) as equal`,
  );
  return rows[0].equal;
}

export function homeOf({ home }: Place): string {
  return `public.${escapeIdentifier(home)}`;
}

export function nextDay(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}

async function readDays(client: Client, place: Place, source: string): Promise<string[]> {
  const time = escapeIdentifier(place.timeColumn);
  const { rows } = await client.query<{ day: string }>(
    `select distinct (${time} at time zone 'UTC')::date::text as day from ${source} s where ${movable(place, 's.')} order by 1`,
  );
  return rows.map(({ day }) => day);
}

function within({ timeColumn }: Place, prefix: string, day: string): string {
  const time = `${prefix}${escapeIdentifier(timeColumn)}`;
  return `${time} >= ${escapeLiteral(day)} and ${time} < ${escapeLiteral(nextDay(day))}`;
}

/** As pg_partman names it where it keeps the partitions: 4.x writes 2026_01_31, 5.x and the lab 20260131. */
async function partitionName(client: Client, table: string, day: string): Promise<string> {
  const { rows } = await client.query(
    "select extversion like '4.%' as four from pg_extension where extname = 'pg_partman'",
  );
  return `${table}_p${rows[0]?.four ? day.replaceAll('-', '_') : day.replaceAll('-', '')}`;
}

function list(columns: readonly string[]): string {
  return columns.map((column) => escapeIdentifier(column)).join(', ');
}
