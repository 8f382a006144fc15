import type { Client } from 'pg';

/** Of one table. */
export interface Maintained {
  table: string;
  created: number;
  dropped: number;
  deleted: number;
}

/** Expired rows that one call of the maintenance deletes of each table. */
const batchRows = 10_000;

/** Runs the maintenance until no table has a full batch of expired rows left. @returns sums per table. */
export async function maintain(client: Client): Promise<Maintained[]> {
  const sums = new Map<string, Maintained>();
  for (let full = true; full; ) {
    const { rows } = await client.query<Maintained>(
      `select table_name as "table", created, dropped, deleted::float8 as deleted from run_maintenance($1)`,
      [batchRows],
    );
    for (const row of rows) sums.set(row.table, add(sums.get(row.table), row));
    full = rows.some(({ deleted }) => deleted >= batchRows);
  }
  return [...sums.values()];
}

function add(sum: Maintained | undefined, row: Maintained): Maintained {
  return {
    table: row.table,
    created: (sum?.created ?? 0) + row.created,
    dropped: (sum?.dropped ?? 0) + row.dropped,
    deleted: (sum?.deleted ?? 0) + row.deleted,
  };
}
