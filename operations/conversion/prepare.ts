import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';
import { conversions } from '../../kernel/topology.ts';
import { type ChangeLog, captureStatements, createChangeLog, endCapture } from '../change-log.ts';
import { logOf, logsWhere, tablesWhere } from './logged-tables.ts';
import { withNotedLock } from './noted-lock.ts';
import type { ConversionPlan } from './preflight.ts';

export interface StepOptions {
  maxLockMs: number;
  lockAttempts?: number;
  progress: (line: string) => void;
}

/** Days of which partitions are made in one transaction: a server has only so many locks. */
const daysAtOnce = 30;

/** Creates the conversion's schemas, functions and the new, empty parents, in one transaction. */
export async function createConversion(client: Client, plan: ConversionPlan, beforePerSecond: number | null) {
  await client.query('begin');
  try {
    for (const name of ['state', 'prepare', 'copy', 'switch']) await client.query(await conversionSql(name));
    await client.query('set local search_path = conversion, public');
    for (const { sql } of plan.migrations) await client.query(sql);
    await client.query('set local search_path = public');
    await client.query('select conversion.add_interim_index()');
    for (const [position, table] of plan.tables.entries()) {
      const { rows } = await client.query<{ columns: string[] }>(
        'select conversion.add_table($1, time_column, $2) as columns from retention_settings where table_name = $1',
        [table, position],
      );
      await createChangeLog(client, logOf(table, rows[0]!.columns));
    }
    await client.query(
      'insert into conversion.state (target, made_partman, before_per_second) values ($1, conversion.offer_partman(), $2)',
      [conversions.inPlace.to, beforePerSecond],
    );
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

/** Makes the partitions of every table, where a former call has not. */
export async function makePartitions(client: Client, options: StepOptions): Promise<void> {
  for (const table of await tablesWhere(client, 'not partitioned')) {
    await client.query('begin');
    await client.query('select conversion.manage($1)', [table]);
    await client.query('update conversion.tables set partitioned = true where table_name = $1', [table]);
    await client.query('commit');
  }
  for (const table of await tablesWhere(client, 'not copied')) await addPartitions(client, table, options);
}

/** Partitions for the days of which the table has rows and for those ahead; what exists is left alone. */
export async function addPartitions(client: Client, table: string, { progress }: StepOptions): Promise<void> {
  const { rows } = await client.query<{ day: string }>('select day::text from conversion.days_needed($1) day', [table]);
  let made = 0;
  for (let from = 0; from < rows.length; from += daysAtOnce) {
    const days = rows.slice(from, from + daysAtOnce).map(({ day }) => day);
    const result = await client.query('select conversion.add_partitions($1, $2::date[]) as made', [table, days]);
    made += result.rows[0].made;
  }
  if (made > 0) progress(`${table}: ${made} daily partitions`);
}

/** From here on no change escapes: it is logged in the transaction that makes it. */
export async function captureChanges(client: Client, options: StepOptions): Promise<void> {
  for (const log of await logsWhere(client, 'not captured')) {
    await withWritersHeld(client, log, 'capture', options, async () => {
      await captureStatements(client, log);
      await client.query('update conversion.tables set captured = true where table_name = $1', [log.name]);
    });
  }
}

/** Ends what `captureChanges` began. */
export async function releaseChanges(client: Client, options: StepOptions): Promise<void> {
  for (const log of await logsWhere(client, 'captured')) {
    await withWritersHeld(client, log, 'release', options, async () => {
      await endCapture(client, log);
      await client.query('update conversion.tables set captured = false where table_name = $1', [log.name]);
    });
  }
}

/** For an instant: waits for writers of the table, and holds up further ones. */
async function withWritersHeld(
  client: Client,
  { name, source }: ChangeLog,
  step: string,
  options: StepOptions,
  work: () => Promise<void>,
): Promise<void> {
  const lock = `lock table ${source} in share row exclusive mode`;
  await withNotedLock(client, { ...options, step: `${step} ${name}`, lock, tables: [source] }, work);
}

/** The text of a file in `sql/conversion`. */
export function conversionSql(name: string): Promise<string> {
  return readFile(new URL(`../../sql/conversion/${name}.sql`, import.meta.url), 'utf8');
}
