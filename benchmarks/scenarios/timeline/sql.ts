import { readFile } from 'node:fs/promises';

/** The text of a statement in `sql/`, by its name without the ending. */
export function timelineSql(name: string): Promise<string> {
  return readFile(new URL(`./sql/${name}.sql`, import.meta.url), 'utf8');
}
