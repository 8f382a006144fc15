import type { Pool } from 'pg';
import { createQueryBuilder, runQuery } from '../../../kernel/postgres/query-builder.ts';
import { statements } from '../../../kernel/postgres/statement.ts';
import { oneServerRows } from '../../store/one-server.ts';
import { type DisputeStore, disputeCommands } from './dispute-store.ts';
import { disputeStatements } from './locked-dispute.ts';
import { selectDispute } from './queries.ts';

const sql = statements(new URL('./sql/one-server/', import.meta.url), disputeStatements);

/** Disputes of which one server has all. `pool` leads to the primary. */
export function oneServerDisputes(pool: Pool): DisputeStore {
  const builder = createQueryBuilder();
  return {
    ...disputeCommands(oneServerRows(pool, sql)),
    find: async (node, disputeId) => (await runQuery(node, selectDispute(builder, disputeId)))[0],
  };
}
