import type { Selectable } from 'kysely';
import type { DB } from './schema.ts';

/** A row as a SELECT of these columns of the table returns it. */
export type RowOf<Table extends keyof DB, Column extends keyof DB[Table]> = Selectable<Pick<DB[Table], Column>>;

/** A row as a SELECT returns it, with columns whose check constraint allows a few values typed as those values. */
export type NarrowedRow<Table extends keyof DB, Narrowed extends Partial<Record<keyof DB[Table], unknown>>> = Omit<
  Selectable<DB[Table]>,
  keyof Narrowed
> &
  Narrowed;

/**
 * One array a name, in the order of the names, each with that property of every row: the parameters of an `unnest`.
 * @returns as many arrays as names; each is empty where there are no rows.
 */
export function columnsOf<Row extends object, Name extends keyof Row>(
  rows: readonly Row[],
  names: readonly Name[],
): Row[Name][][] {
  return names.map((name) => rows.map((row) => row[name]));
}
