import type { Pool } from 'pg';
import type { Cursors } from '../../kernel/http/cursor.ts';
import type { Page } from '../../kernel/http/envelope.ts';
import { toPage } from '../../kernel/http/page.ts';
import { beyondPosition, exactTime, type QueryBuilder, runQuery } from '../../kernel/postgres/query-builder.ts';
import type { ListOrdersQuery } from './schemas.ts';
import { shownOrder } from './shown.ts';
import type { OrderRow, OrderStore } from './store/order-store.ts';
import { orderColumns } from './store/queries.ts';

export interface OrderReads {
  orders: Pick<OrderStore, 'guestsOf'>;
  builder: QueryBuilder;
  cursors: Cursors;
}

/** A page of orders by the time at which the lab learnt of them, then by id. */
export async function listOrders(
  { orders, builder, cursors }: OrderReads,
  pool: Pool,
  query: ListOrdersQuery,
): Promise<{ rows: unknown[]; page: Page }> {
  const { limit, cursor, ...filters } = query;
  const direction = filters.sort === 'created_at' ? 'asc' : 'desc';
  let select = builder
    .selectFrom('orders')
    .select(orderColumns)
    .select(exactTime('created_at').as('position_time'))
    .orderBy('created_at', direction)
    .orderBy('order_id', direction)
    .limit(limit + 1);
  if (filters.status) select = select.where('status', '=', filters.status);
  if (filters.user_id) {
    const guests = await orders.guestsOf(pool, filters.user_id);
    // The equality alone keeps the order of the index; few users have ordered as guests.
    select =
      guests.length === 0
        ? select.where('user_id', '=', filters.user_id)
        : select.where('user_id', 'in', [filters.user_id, ...guests]);
  }
  if (cursor !== undefined) {
    const position = cursors.decode('orders', filters, cursor);
    select = select.where(beyondPosition({ time: 'created_at', id: 'order_id' }, direction, position));
  }
  const found = await runQuery(pool, select);
  const { rows, page } = toPage(found, limit, (last) =>
    cursors.encode('orders', filters, [last.position_time, last.order_id]),
  );
  return {
    rows: rows.map(({ position_time: _position, ...order }) => shownOrder(order as Omit<OrderRow, 'payments'>)),
    page,
  };
}

/** Events of one order by sequence, the oldest first; undefined where there is no such order that may be shown. */
export async function listOrderEvents(
  { orders, cursors, isShown }: { orders: OrderStore; cursors: Cursors; isShown: (order: OrderRow) => boolean },
  pool: Pool,
  orderId: string,
  query: { limit: number; cursor?: string | undefined },
): Promise<{ rows: unknown[]; page: Page } | undefined> {
  const filters = { order_id: orderId };
  const after = query.cursor === undefined ? '0' : cursors.decode('order_events', filters, query.cursor)[0]!;
  const order = await orders.find(pool, orderId);
  if (!order || !isShown(order)) return undefined;
  const events = await orders.events(pool, order, { after: BigInt(after), limit: query.limit + 1 });
  return toPage(events, query.limit, (last) => cursors.encode('order_events', filters, [String(last.sequence)]));
}
