import type { ClientBase, Pool } from 'pg';
import type { Statements } from '../../kernel/postgres/statement.ts';
import { withTransaction } from '../../kernel/postgres/transaction.ts';
import type { Rows, Send } from './rows.ts';

/** Rows of which one server has all: an id leads to them. */
export function oneServerRows<Name extends string>(pool: Pool, sql: Statements<Name>): Rows<Name> {
  const on =
    (client: ClientBase | Pool): Send<Name> =>
    (name, values) =>
      sql[name](client, values);
  return {
    change: (_id, work) => withTransaction(pool, (client) => work(on(client), client)),
    about: async () => on(pool),
    at: (client) => on(client),
    everywhere: on(pool),
  };
}
