import { readFileSync } from 'node:fs';
import type { ClientBase, Pool, QueryResult, QueryResultRow } from 'pg';

/** A statement of an `*.sql` file, prepared once a connection under the file's name. */
export type Statement = <Row extends QueryResultRow>(
  client: ClientBase | Pool,
  values: unknown[],
) => Promise<QueryResult<Row>>;

/**
 * The statement in the file at `url`, as in `statement(new URL('./sql/insert_outbox.sql', import.meta.url))`. The file
 * is read at the first call, so that importing a module costs nothing.
 */
export function statement(url: URL): Statement {
  const name = url.pathname.split('/').slice(-3).join('/').replace('/sql/', '/');
  let text: string | undefined;
  return (client, values) => {
    text ??= readFileSync(url, 'utf8');
    return client.query({ name, text, values });
  };
}

/** A statement with a second form for sharded rows: given an owner, it leads to his shard. */
export type OwnedStatement = <Row extends QueryResultRow>(
  client: ClientBase | Pool,
  values: unknown[],
  owner: string | undefined,
) => Promise<QueryResult<Row>>;

/**
 * The statement in the file at `url`, and where an owner is given the one in `….sharded.sql` beside it, which takes him
 * as its last parameter.
 */
export function ownedStatement(url: URL): OwnedStatement {
  const everywhere = statement(url);
  const inShard = statement(new URL(url.href.replace(/\.sql$/, '.sharded.sql')));
  return (client, values, owner) =>
    owner === undefined ? everywhere(client, values) : inShard(client, [...values, owner]);
}
