import type { Client } from 'pg';
import { conversions } from '../../../kernel/topology.ts';
import { createChangeLog } from '../../change-log.ts';
import { logOf } from '../logged-tables.ts';
import { conversionSql } from '../prepare.ts';
import { firstKeptDay, type Sides } from './step.ts';
import { convertedTables } from './tables.ts';

/** Creates what the source keeps of the conversion, in one transaction. */
export async function createState(source: Client, targetDatabase: string, beforePerSecond: number): Promise<void> {
  await source.query('begin');
  try {
    for (const name of ['state', 'cluster']) await source.query(await conversionSql(name));
    for (const [position, table] of convertedTables.entries()) {
      const { rows } = await source.query<{ columns: string[] }>(
        `insert into conversion.tables (table_name, lock_position, time_column, key_columns, row_columns, columns)
         select c.relname, $2, s.time_column, conversion.key_of(c.oid), conversion.key_of(c.oid), conversion.columns_of(c.oid)
         from pg_class c left join public.retention_settings s on s.table_name = c.relname and c.relkind = 'p'
         where c.oid = format('public.%I', $1::text)::regclass
         returning row_columns as columns`,
        [table, position],
      );
      await createChangeLog(source, logOf(table, rows[0]!.columns));
    }
    await source.query(
      'insert into conversion.state (target, target_database, before_per_second) values ($1, $2, $3)',
      [conversions.toCluster.to, targetDatabase, beforePerSecond],
    );
    await source.query('commit');
  } catch (error) {
    await source.query('rollback');
    throw error;
  }
}

/** Makes the daily partitions of the target for the days of which the source has rows; those ahead are there already. */
export async function makeDays(
  { source, target, tables }: Sides,
  progress: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  for (const { name, timeColumn } of tables) {
    if (timeColumn === null) continue;
    const { rows } = await source.query<{ day: string }>(
      `select day::text from conversion.days_of($1, $2, ${firstKeptDay(name)}) day`,
      [name, timeColumn],
    );
    let made = 0;
    for (const { day } of rows) {
      signal?.throwIfAborted();
      const answer = await target.query<{ made: number }>('select ensure_partitions($1, $2::date, $2::date) as made', [
        name,
        day,
      ]);
      made += answer.rows[0]!.made;
    }
    if (made > 0) progress(`${name}: ${made} daily partitions`);
  }
}
