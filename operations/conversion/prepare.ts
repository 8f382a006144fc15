import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';
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
    for (const name of ['state', 'capture', 'prepare', 'copy', 'switch']) await client.query(await conversionSql(name));
    await client.query('set local search_path = conversion, public');
    for (const { sql } of plan.migrations) await client.query(sql);
    await client.query('set local search_path = public');
    await client.query('select conversion.add_interim_index()');
    for (const [position, table] of plan.tables.entries()) {
      await client.query(
        'select conversion.add_table($1, time_column, $2) from retention_settings where table_name = $1',
        [table, position],
      );
    }
    await client.query(
      "insert into conversion.state (target, made_partman, before_per_second) values ('partitioned', conversion.offer_partman(), $1)",
      [beforePerSecond],
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
  for (const table of await tablesWhere(client, 'not captured')) {
    await withNotedLock(
      client,
      {
        ...options,
        step: `capture ${table}`,
        lock: `lock table public.${table} in share row exclusive mode`,
        tables: [`public.${table}`],
      },
      () => client.query('select conversion.capture($1)', [table]),
    );
  }
}

/** Ends what `captureChanges` began. */
export async function releaseChanges(client: Client, options: StepOptions): Promise<void> {
  for (const table of await tablesWhere(client, 'captured')) {
    await withNotedLock(
      client,
      {
        ...options,
        step: `release ${table}`,
        lock: `lock table public.${table} in share row exclusive mode`,
        tables: [`public.${table}`],
      },
      () => client.query('select conversion.release($1)', [table]),
    );
  }
}

/** Names in the order in which they are locked. */
export async function tablesWhere(client: Client, condition: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select table_name as name from conversion.tables where ${condition} order by lock_position`,
  );
  return rows.map(({ name }) => name);
}

/** The text of a file in `sql/conversion`. */
export function conversionSql(name: string): Promise<string> {
  return readFile(new URL(`../../sql/conversion/${name}.sql`, import.meta.url), 'utf8');
}
