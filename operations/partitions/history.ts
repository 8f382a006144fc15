import type { Client } from 'pg';

/**
 * Runs work that stores rows of past days: their partitions are made first, and while it runs the maintenance of the
 * system drops none of them. The retention of each table is as before afterwards, so that what is older than that goes
 * with the next maintenance.
 * @param days How far back the rows reach.
 */
export async function withPastPartitions<T>(client: Client, days: number, work: () => Promise<T>): Promise<T> {
  const { rows: settings } = await client.query<{ table_name: string; kept: string }>(
    'select table_name, retention::text as kept from retention_settings where retention < make_interval(days => $1)',
    [days + 2],
  );
  await client.query(
    'update retention_settings set retention = make_interval(days => $1) where table_name = any ($2::text[])',
    [days + 2, settings.map(({ table_name }) => table_name)],
  );
  try {
    // Not in one transaction: each table's lock is held for its own partitions only.
    for (const { name } of (await client.query<{ name: string }>('select partitioned_tables() as name')).rows) {
      const today = "(now() at time zone 'UTC')::date";
      await client.query(`select ensure_partitions($1, ${today} - $2::int, ${today})`, [name, days + 1]);
    }
    return await work();
  } finally {
    for (const { table_name, kept } of settings) {
      await client.query('update retention_settings set retention = $2::interval where table_name = $1', [
        table_name,
        kept,
      ]);
    }
  }
}
