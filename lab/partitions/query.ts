import { queryArchives } from '../../operations/partitions/query.ts';
import { print, printJson, table } from '../output.ts';

/** `lab partitions query` */
export async function query(files: readonly string[], flags: { sql: string; json?: boolean }): Promise<void> {
  const rows = await queryArchives(files, flags.sql);
  if (flags.json) printJson({ rows });
  else if (rows.length === 0) print('No rows.');
  else {
    const head = Object.keys(rows[0]!);
    const cells = rows.map((row) => head.map((name) => String(row[name])));
    print(table(head, cells));
  }
}
