import { readFileSync } from 'node:fs';
import type { ClientBase, Pool, QueryResult, QueryResultRow } from 'pg';

/** A statement of an `*.sql` file, prepared once a connection under the file's path. */
export type Statement = <Row extends QueryResultRow>(
  client: ClientBase | Pool,
  values: unknown[],
) => Promise<QueryResult<Row>>;

/**
 * The statement in the file at `url`, as in `statement(new URL('./sql/insert_outbox.sql', import.meta.url))`. The file
 * is read at the first call, so that importing a module costs nothing.
 */
export function statement(url: URL): Statement {
  let prepared: { name: string; text: string } | undefined;
  return (client, values) => {
    prepared ??= { name: nameOf(url), text: readFileSync(url, 'utf8') };
    return client.query({ name: prepared.name, text: prepared.text, values });
  };
}

/** The statements in files of the folder at `url`, by the files' names without `.sql`. */
export type Statements<Name extends string> = Readonly<Record<Name, Statement>>;

/** As `statement`, for several files: `statements(new URL('./sql/sharded/', import.meta.url), ['lock_order'])`. */
export function statements<Name extends string>(folder: URL, names: readonly Name[]): Statements<Name> {
  const entries = names.map((name) => [name, statement(new URL(`${name}.sql`, folder))] as const);
  return Object.fromEntries(entries) as Statements<Name>;
}

/** The most bytes that PostgreSQL tells names apart by. */
const maxNameBytes = 63;

/** The file's path in the checkout: two files of one name must not share a prepared statement. */
function nameOf(url: URL): string {
  const root = new URL('../../', import.meta.url);
  const name = url.pathname.slice(root.pathname.length).replace('/sql/', '/');
  if (name.length > maxNameBytes) throw new RangeError(`${name}: longer than the name of a prepared statement may be`);
  return name;
}
