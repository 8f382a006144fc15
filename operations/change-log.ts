import { type Client, escapeIdentifier } from 'pg';

/**
 * A table with the keys of the rows of another one that have changed, in the order in which they were noted. Triggers
 * fill it in the transaction that makes the change: none escapes, and none is noted that was rolled back. It lets rows
 * be copied while they change: what has changed since is brought over afterwards, as it is then, batch by batch, and
 * the rest under a lock.
 */
export interface ChangeLog {
  /** Schema that belongs to the work alone; with it go the log and the triggers' function. */
  schema: string;
  /** Names the log among those of the schema. */
  name: string;
  /** The table whose changes are noted, as SQL names it. */
  source: string;
  /** What names a row. */
  columns: readonly string[];
  /** Begins the names of the triggers. */
  trigger: string;
}

/** The oldest entries of a log. */
export interface LoggedChanges {
  /** SQL for a table of the entries: the columns of the log, and whether the row was `removed`. */
  entries: string;
  /** Number of the newest of them, as decimal digits. */
  last: string;
  count: number;
  /** Whether rows under these keys went: removed, or moved to another key. */
  removed: boolean;
}

/** The log's table, as SQL names it. */
export function logTable({ schema, name }: Pick<ChangeLog, 'schema' | 'name'>): string {
  return `${schema}.${escapeIdentifier(`changes_${name}`)}`;
}

/** Makes the log, empty. */
export async function createChangeLog(client: Client, log: ChangeLog): Promise<void> {
  const table = logTable(log);
  await client.query(
    `create table ${table} as select ${list(log.columns)} from ${log.source} with no data;
     alter table ${table} add column removed boolean not null, add column seq bigint generated always as identity primary key`,
  );
}

/**
 * From the commit of the caller's transaction on, which has to hold a lock that keeps writers out, each changed row
 * leaves its key in the log. The function belongs to the caller (security definer): a writer needs no right on the log.
 * One statement notes its rows at once.
 */
export async function captureStatements(client: Client, log: ChangeLog): Promise<void> {
  const columns = list(log.columns);
  await createHandler(client, log, { removed: `${columns} from old_rows`, added: `${columns} from new_rows` });
  const { source, trigger } = log;
  const handler = `for each statement execute function ${handlerOf(log)}()`;
  await client.query(
    `create trigger ${trigger}_insert after insert on ${source} referencing new table as new_rows ${handler};
     create trigger ${trigger}_update after update on ${source} referencing old table as old_rows new table as new_rows ${handler};
     create trigger ${trigger}_delete after delete on ${source} referencing old table as old_rows ${handler};
     create trigger ${trigger}_truncate before truncate on ${source} ${handler}`,
  );
}

/** As `captureStatements` for a partition: a statement on its parent fires only the triggers for its rows. */
export async function captureRows(client: Client, log: ChangeLog): Promise<void> {
  const of = (row: string) => log.columns.map((column) => `${row}.${escapeIdentifier(column)}`).join(', ');
  await createHandler(client, log, { removed: of('old'), added: of('new') });
  await client.query(
    `create trigger ${log.trigger} after insert or update or delete on ${log.source}
       for each row execute function ${handlerOf(log)}()`,
  );
}

async function createHandler(client: Client, log: ChangeLog, rows: { removed: string; added: string }): Promise<void> {
  const insert = `insert into ${logTable(log)} (removed, ${list(log.columns)})`;
  await client.query(
    `create or replace function ${handlerOf(log)}() returns trigger
     language plpgsql security definer set search_path = pg_catalog, pg_temp
     as $body$
     begin
       if tg_op = 'TRUNCATE' then
         raise exception 'a conversion is under way: % can not be truncated', tg_table_name;
       end if;
       if tg_op in ('UPDATE', 'DELETE') then
         ${insert} select true, ${rows.removed};
       end if;
       if tg_op in ('INSERT', 'UPDATE') then
         ${insert} select false, ${rows.added};
       end if;
       return null;
     end
     $body$`,
  );
}

/** Ends the capture, of either kind; what was noted stays. */
export async function endCapture(client: Client, { source, trigger }: ChangeLog): Promise<void> {
  const names = [trigger, ...['insert', 'update', 'delete', 'truncate'].map((event) => `${trigger}_${event}`)];
  await client.query(names.map((name) => `drop trigger if exists ${name} on ${source}`).join('; '));
}

/**
 * Brings over the oldest logged changes and takes them out of the log, in the caller's transaction. That has to be one
 * snapshot, because an entry with a lower number may become visible later.
 * @param bring Removes what was removed, and writes what was added or changed as it is now.
 * @returns how many entries it used up; fewer than `limit` means that it was all that the snapshot sees.
 */
export async function replayOldest(
  client: Client,
  log: ChangeLog,
  limit: number,
  bring: (changes: LoggedChanges) => Promise<void>,
): Promise<number> {
  const table = logTable(log);
  const { rows } = await client.query<{ last: string | null; count: number; removed: boolean; isolation: string }>(
    `select max(seq)::text as last, count(*)::int as count, coalesce(bool_or(removed), false) as removed,
            current_setting('transaction_isolation') as isolation
     from (select seq, removed from ${table} order by seq limit ${limit}) oldest`,
  );
  const { last, count, removed, isolation } = rows[0]!;
  if (isolation !== 'repeatable read') throw new Error('Logged changes are brought over in one snapshot only.');
  if (last === null) return 0;
  await bring({ entries: `(select * from ${table} where seq <= ${last})`, last, count, removed });
  await client.query(`delete from ${table} where seq <= ${last}`);
  return count;
}

/** As `replayOldest` until the snapshot sees no more. @param goOn Called before each batch, to throw where the time is up. */
export async function replayAll(
  client: Client,
  log: ChangeLog,
  limit: number,
  bring: (changes: LoggedChanges) => Promise<void>,
  goOn = () => {},
): Promise<number> {
  let total = 0;
  for (let used = limit; used === limit; total += used) {
    goOn();
    used = await replayOldest(client, log, limit, bring);
  }
  return total;
}

/** Forgets what was noted: the caller's transaction has not copied any of these rows yet. */
export async function forgetChanges(client: Client, log: ChangeLog): Promise<void> {
  await client.query(`delete from ${logTable(log)}`);
}

/** One transaction with one snapshot. */
export async function inSnapshot<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin isolation level repeatable read');
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

/**
 * A few rows are found by their keys: plans that read whole tables come from statistics of when they were small. For
 * the rest of the caller's transaction.
 */
export async function planByKeys(client: Client): Promise<void> {
  await client.query(
    'set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off',
  );
}

function handlerOf({ schema, name }: ChangeLog): string {
  return `${schema}.${escapeIdentifier(`capture_${name}`)}`;
}

function list(columns: readonly string[]): string {
  return columns.map((column) => escapeIdentifier(column)).join(', ');
}
