import type { Client } from 'pg';
import type { ChangeLog } from '../change-log.ts';

/** Names of the converted tables, in the order in which they are locked. */
export async function tablesWhere(client: Client, condition: string): Promise<string[]> {
  return (await logsWhere(client, condition)).map(({ name }) => name);
}

/** The change logs of the converted tables, in the order in which those are locked. */
export async function logsWhere(client: Client, condition: string): Promise<ChangeLog[]> {
  const { rows } = await client.query<{ name: string; columns: string[] }>(
    `select table_name as name, row_columns as columns from conversion.tables where ${condition} order by lock_position`,
  );
  return rows.map(({ name, columns }) => logOf(name, columns));
}

/** @param columns What names a row of the table: its key, and in a partition the time. */
export function logOf(table: string, columns: readonly string[]): ChangeLog {
  return { schema: 'conversion', name: table, source: `public.${table}`, columns, trigger: 'conversion' };
}
