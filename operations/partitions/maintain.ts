import type { Client } from 'pg';

/** Of one table. */
export interface Maintained {
  table: string;
  created: number;
  dropped: number;
  deleted: number;
  /** Whether something is left because a lock never came: others held the table. */
  postponed: boolean;
}

/** What one call of the procedure reports; `more` where rows are left to be deleted. */
type Reported = Maintained & { more: boolean };

/** Runs the maintenance until no table has expired rows left to delete. @returns sums per table. */
export async function maintain(client: Client): Promise<Maintained[]> {
  const sums = new Map<string, Maintained>();
  for (let more = true; more; ) {
    const { rows } = await client.query<{ report: Reported[] }>('call run_maintenance()');
    const { report } = rows[0]!;
    for (const row of report) sums.set(row.table, add(sums.get(row.table), row));
    more = report.some((row) => row.more);
  }
  return [...sums.values()];
}

function add(sum: Maintained | undefined, row: Maintained): Maintained {
  return {
    table: row.table,
    created: (sum?.created ?? 0) + row.created,
    dropped: (sum?.dropped ?? 0) + row.dropped,
    deleted: (sum?.deleted ?? 0) + row.deleted,
    postponed: row.postponed,
  };
}
