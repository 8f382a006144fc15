import type { Pool } from 'pg';
import { createQueryBuilder, runQuery } from '../../../kernel/postgres/query-builder.ts';
import { statements } from '../../../kernel/postgres/statement.ts';
import type { Owners } from '../../shards/owners.ts';
import { shardedRows } from '../../store/sharded.ts';
import { orderNotFound, orderStatements } from './locked-order.ts';
import { type OrderStore, orderCommands } from './order-store.ts';
import { selectOrder, selectOrderEvents } from './queries.ts';

const sql = statements(new URL('./sql/sharded/', import.meta.url), orderStatements);

/** Orders in the shards of their users. `pool` leads to the coordinator. */
export function shardedOrders({ pool, owners }: { pool: Pool; owners: Owners }): OrderStore {
  const builder = createQueryBuilder();
  const userOf = async (orderId: string): Promise<string> => {
    const userId = await owners.ofOrder(orderId);
    if (userId === null) throw orderNotFound();
    return userId;
  };
  return {
    ...orderCommands(shardedRows({ pool, sql, userOf })),
    // Guests lie in shards of their own, so that each list of a user would ask all of them.
    guestsOf: async () => [],
    async find(node, orderId) {
      const userId = await owners.ofOrder(orderId);
      if (userId === null) return undefined;
      return (await runQuery(node, selectOrder(builder, orderId).where('user_id', '=', userId)))[0];
    },
    events: (node, order, window) =>
      runQuery(node, selectOrderEvents(builder, order, window).where('user_id', '=', order.user_id)),
  };
}
