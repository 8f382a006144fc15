import { type Client, escapeIdentifier, escapeLiteral } from 'pg';

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

/** From the commit of this on, each change of the default partition leaves the row's key in `rescue.log`. */
export async function capture(client: Client, place: Place): Promise<void> {
  const columns = list(place.key);
  const values = (row: string) => place.key.map((column) => `${row}.${escapeIdentifier(column)}`).join(', ');
  await client.query(
    `create or replace function rescue.capture() returns trigger
     language plpgsql security definer set search_path = pg_catalog, pg_temp
     as $body$
     begin
       if tg_op in ('UPDATE', 'DELETE') then
         insert into rescue.log (removed, ${columns}) values (true, ${values('old')});
       end if;
       if tg_op in ('INSERT', 'UPDATE') then
         insert into rescue.log (removed, ${columns}) values (false, ${values('new')});
       end if;
       return null;
     end
     $body$;
     create trigger lab_rescue after insert or update or delete on ${homeOf(place)}
       for each row execute function rescue.capture()`,
  );
}

/** The log, empty. What a killed rescue left is removed first. */
export async function createLog(client: Client, place: Place): Promise<void> {
  await client.query(
    `create schema rescue;
     create table rescue.log as select ${list(place.key)} from ${homeOf(place)} with no data;
     alter table rescue.log add column removed boolean not null, add column seq bigint generated always as identity primary key`,
  );
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

/**
 * Brings over the oldest logged changes, in the caller's snapshot, and makes the days that are new.
 * @returns how many entries it used up.
 */
export async function applyLog(client: Client, place: Place, days: Map<string, string>): Promise<number> {
  const { rows } = await client.query<{ last: string | null }>(
    'select max(seq) as last from (select seq from rescue.log order by seq limit 20000) oldest',
  );
  const last = rows[0]!.last;
  if (last === null) return 0;
  const entries = `(select * from rescue.log where seq <= ${last})`;
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
  const used = await client.query(`delete from rescue.log where seq <= ${last}`);
  return used.rowCount ?? 0;
}

/** Whether the copies hold what the default partition holds, logged changes aside. In the caller's snapshot. */
export async function isComplete(client: Client, place: Place, partitions: readonly string[]): Promise<boolean> {
  const same = place.key.map((column) => `c.${escapeIdentifier(column)} = t.${escapeIdentifier(column)}`).join(' and ');
  const side = (table: string) =>
    `select count(*) as count, coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) as hash
     from ${table} t where not exists (select from rescue.log c where ${same})`;
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

async function readDays(client: Client, { timeColumn }: Place, source: string): Promise<string[]> {
  const { rows } = await client.query<{ day: string }>(
    `select distinct (${escapeIdentifier(timeColumn)} at time zone 'UTC')::date::text as day from ${source} s order by 1`,
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
