import type { Pool } from 'pg';
import type { Statements } from '../../kernel/postgres/statement.ts';
import { withTransaction } from '../../kernel/postgres/transaction.ts';
import { holdShards } from '../shards/hold.ts';
import type { Rows } from './rows.ts';

export interface ShardedRowsOptions<Name extends string> {
  /** Of the coordinator. */
  pool: Pool;
  /** Each takes the user as its last parameter, save those for all users. */
  sql: Statements<Name>;
  /** The user under whom a thing is stored. @throws AppError not_found */
  userOf: (id: string) => Promise<string>;
}

/** Rows that lie in the shards of their users: the user has to be known before a statement can find them. */
export function shardedRows<Name extends string>({ pool, sql, userOf }: ShardedRowsOptions<Name>): Rows<Name> {
  const rows: Rows<Name> = {
    async change(id, work) {
      const userId = await userOf(id);
      return withTransaction(pool, async (client) => {
        await holdShards(client, [userId]);
        return work(rows.at(client, userId), client);
      });
    },
    about: async (id) => rows.at(pool, await userOf(id)),
    at: (client, userId) => (name, values) => sql[name](client, [...values, userId]),
    everywhere: (name, values) => sql[name](pool, values),
  };
  return rows;
}
