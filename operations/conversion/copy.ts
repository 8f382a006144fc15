import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { type ChangeLog, inSnapshot, type LoggedChanges, planByKeys, replayAll, replayOldest } from '../change-log.ts';
import { logsWhere, tablesWhere } from './logged-tables.ts';
import { Pace } from './pace.ts';

export interface CopyOptions {
  batchRows: number;
  /** Share of the time in which the copy may work, above 0 to 1; it rests in between so that the service keeps its pace. */
  duty: number;
  progress: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/** Change log entries that may be left for the switch: some milliseconds of work under the locks. */
const leftForSwitch = 2_000;

/** Copies what is not copied yet, table by table, and keeps the change logs short meanwhile. */
export async function copyTables(client: Client, options: CopyOptions): Promise<void> {
  const { batchRows, progress, signal } = options;
  let reported = performance.now();
  let caughtUp = reported;
  for (const table of await tablesWhere(client, 'not copied')) {
    for (let read = batchRows; read === batchRows; ) {
      signal?.throwIfAborted();
      read = await rested(options, async () => {
        const { rows } = await client.query('select conversion.copy_batch($1, $2) as read', [table, batchRows]);
        return rows[0].read;
      });
      if (performance.now() - caughtUp > 500) {
        await catchUp(client, options);
        caughtUp = performance.now();
      }
      if (performance.now() - reported > 2_000) {
        progress(await describeProgress(client, table));
        reported = performance.now();
      }
    }
    progress(`${await describeProgress(client, table)}, complete`);
  }
}

/** Applies logged changes, all tables in turn, once. @returns how many. */
async function catchUp(client: Client, options: CopyOptions): Promise<number> {
  let applied = 0;
  for (const log of await logsWhere(client, 'true')) {
    options.signal?.throwIfAborted();
    applied += await rested(options, () =>
      inSnapshot(client, async () => {
        await planByKeys(client);
        return replayOldest(client, log, options.batchRows, (changes) => bringOver(client, log, changes));
      }),
    );
  }
  return applied;
}

/**
 * Applies logged changes until a round found little, without rests.
 * @throws ConversionRefused when changes come in faster.
 */
export async function catchUpForSwitch(client: Client, options: CopyOptions): Promise<void> {
  const pace = new Pace(1);
  for (let waiting = leftForSwitch; waiting >= leftForSwitch; ) {
    const atMs = performance.now();
    const { rows } = await client.query<{ waiting: number }>(
      'select sum(conversion.waiting(table_name))::float8 as waiting from conversion.tables',
    );
    waiting = rows[0]!.waiting;
    const brought = await catchUp(client, { ...options, duty: 1 });
    pace.add({ atMs, waiting, brought, workMs: performance.now() - atMs });
  }
}

/** Entries of one batch under the locks of the switch: all there are, as a rule. */
const switchBatchRows = 100_000;

/**
 * Applies what is left under the locks of the switch, in the caller's snapshot.
 * @param goOn Called before each batch, to throw where the time is up.
 * @returns how many changes there were.
 */
export async function applyRest(client: Client, goOn: () => void): Promise<number> {
  await planByKeys(client);
  let applied = 0;
  for (const log of await logsWhere(client, 'true')) {
    applied += await replayAll(client, log, switchBatchRows, (changes) => bringOver(client, log, changes), goOn);
  }
  return applied;
}

async function bringOver(client: Client, { name }: ChangeLog, { last, removed, count }: LoggedChanges): Promise<void> {
  await client.query('select conversion.bring_over($1, $2, $3)', [name, last, removed]);
  await client.query('update conversion.tables set changes_applied = changes_applied + $2 where table_name = $1', [
    name,
    count,
  ]);
}

export interface Comparison {
  table: string;
  rows: number;
}

/**
 * Compares every table with its copy in one snapshot: number of rows and an order-independent hash of all of them.
 * @throws Error that names a table that differs.
 */
export async function compareTables(client: Client): Promise<Comparison[]> {
  const compared: Comparison[] = [];
  await client.query('begin isolation level repeatable read read only');
  try {
    for (const table of await tablesWhere(client, 'true')) {
      const { rows } = await client.query<{ source: number; copied: number; equal: boolean }>(
        'select source_rows::float8 as source, copied_rows::float8 as copied, equal from conversion.compare($1)',
        [table],
      );
      const { source, copied, equal } = rows[0]!;
      if (!equal)
        throw new Error(`${table}: the copy differs (${source} rows, copied ${copied}). Undo it with --abort.`);
      compared.push({ table, rows: copied });
    }
  } finally {
    await client.query('rollback');
  }
  return compared;
}

async function describeProgress(client: Client, table: string): Promise<string> {
  const { rows } = await client.query(
    'select rows_copied::float8 as copied, changes_applied::float8 as changes from conversion.tables where table_name = $1',
    [table],
  );
  return `${table}: ${rows[0].copied} rows copied, ${rows[0].changes} changes brought over`;
}

/** Does a piece of work and then rests for so long that it works for its share of the time only. */
export async function rested<T>(
  { duty, signal }: Pick<CopyOptions, 'duty' | 'signal'>,
  work: () => Promise<T>,
): Promise<T> {
  const started = performance.now();
  const result = await work();
  const restMs = (performance.now() - started) * (1 / duty - 1);
  if (restMs >= 1) await delay(restMs, undefined, signal && { signal });
  return result;
}
