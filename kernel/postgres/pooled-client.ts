import { Client, escapeLiteral } from 'pg';

/** How a pooler such as pgbouncer lends server sessions in transaction mode, and what it can keep for a client. */
export interface TransactionPooling {
  /** Whether it knows the clients' prepared statements by name: pgbouncer from 1.21 with `max_prepared_statements`. */
  preparedStatements: boolean;
}

/**
 * A client class for a pooler in transaction mode. The server session changes from one transaction to the next, so
 * nothing may be left in it:
 * - settings hold for a transaction each. They travel in the message that begins it, which costs no round trip;
 * - statements lose their names where the pooler would not find them again on another session.
 * A statement outside a transaction gets no settings: its limits are those of the role (0088_limits.sql).
 */
export function clientOfPooler(
  { preparedStatements }: TransactionPooling,
  settings: Readonly<Record<string, string>>,
): typeof Client {
  const begin = ['begin', ...Object.entries(settings).map(setLocal)].join('; ');

  class PooledClient extends Client {
    // One signature instead of the eight of the original: what comes in goes out, but for the two changes.
    override query(...given: unknown[]): never {
      const [first, ...rest] = given;
      const changed = first === 'begin' ? begin : preparedStatements ? first : withoutName(first);
      return (super.query as (...all: unknown[]) => never).call(this, changed, ...rest);
    }
  }
  return PooledClient as unknown as typeof Client;
}

function setLocal([name, value]: [string, string]): string {
  if (!/^[a-z_.]+$/.test(name)) throw new Error(`not a setting: ${name}`);
  return `set local ${name} = ${escapeLiteral(value)}`;
}

/** Cursors and the like bring methods of their own and have no name; they must not be copied. */
function withoutName(query: unknown): unknown {
  if (typeof query !== 'object' || query === null || !('name' in query) || 'submit' in query) return query;
  const { name: _name, ...rest } = query;
  return rest;
}
