import type { Pool } from 'pg';
import { createQueryBuilder, runQuery } from '../../../kernel/postgres/query-builder.ts';
import { statements } from '../../../kernel/postgres/statement.ts';
import type { Owners } from '../../shards/owners.ts';
import { shardedRows } from '../../store/sharded.ts';
import { type DisputeStore, disputeCommands } from './dispute-store.ts';
import { disputeNotFound, disputeStatements } from './locked-dispute.ts';
import { selectDispute } from './queries.ts';

const sql = statements(new URL('./sql/sharded/', import.meta.url), disputeStatements);

/** Disputes in the shards of their users. `pool` leads to the coordinator. */
export function shardedDisputes({ pool, owners }: { pool: Pool; owners: Owners }): DisputeStore {
  const builder = createQueryBuilder();
  const userOf = async (disputeId: string): Promise<string> => {
    const userId = await owners.ofDispute(disputeId);
    if (userId === null) throw disputeNotFound();
    return userId;
  };
  return {
    ...disputeCommands(shardedRows({ pool, sql, userOf })),
    async find(node, disputeId) {
      const userId = await owners.ofDispute(disputeId);
      if (userId === null) return undefined;
      return (await runQuery(node, selectDispute(builder, disputeId).where('user_id', '=', userId)))[0];
    },
  };
}
