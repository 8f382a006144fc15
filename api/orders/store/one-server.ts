import type { Pool } from 'pg';
import { createQueryBuilder, runQuery } from '../../../kernel/postgres/query-builder.ts';
import { statements } from '../../../kernel/postgres/statement.ts';
import { oneServerRows } from '../../store/one-server.ts';
import { orderStatements } from './locked-order.ts';
import { type OrderStore, orderCommands } from './order-store.ts';
import { selectGuests, selectOrder, selectOrderEvents } from './queries.ts';

const sql = statements(new URL('./sql/one-server/', import.meta.url), orderStatements);

/** Orders of which one server has all. `pool` leads to the primary. */
export function oneServerOrders(pool: Pool): OrderStore {
  const builder = createQueryBuilder();
  return {
    ...orderCommands(oneServerRows(pool, sql)),
    guestsOf: async (node, userId) => (await runQuery(node, selectGuests(builder, userId))).map((row) => row.user_id),
    find: async (node, orderId) => (await runQuery(node, selectOrder(builder, orderId)))[0],
    events: (node, order, window) => runQuery(node, selectOrderEvents(builder, order, window)),
  };
}
