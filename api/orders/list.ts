import type { Pool } from 'pg';
import type { Cursors } from '../../kernel/http/cursor.ts';
import type { Page } from '../../kernel/http/envelope.ts';
import { toPage } from '../../kernel/http/page.ts';
import { beyondPosition, exactTime, type QueryBuilder, runQuery } from '../../kernel/postgres/query-builder.ts';
import type { Owners } from '../shards/owners.ts';
import type { ListOrdersQuery } from './schemas.ts';

const columns = [
  ...(['order_id', 'user_id', 'status', 'amount_minor', 'currency', 'on_hold', 'hold_reason', 'sequence'] as const),
  ...(['provider', 'provider_updated_at', 'created_at', 'updated_at'] as const),
] as const;

/** One daily partition more on each side. */
const clockMarginMs = 86_400_000;

export interface OrderReads {
  builder: QueryBuilder;
  cursors: Cursors;
  /** Where rows are sharded. */
  owners: Owners | undefined;
}

/** A page of orders by the time at which the lab learnt of them, then by id. */
export async function listOrders(
  { builder, cursors }: OrderReads,
  pool: Pool,
  query: ListOrdersQuery,
): Promise<{ rows: unknown[]; page: Page }> {
  const { limit, cursor, ...filters } = query;
  const direction = filters.sort === 'created_at' ? 'asc' : 'desc';
  let select = builder
    .selectFrom('orders')
    .select(columns)
    .select(exactTime('created_at').as('position_time'))
    .orderBy('created_at', direction)
    .orderBy('order_id', direction)
    .limit(limit + 1);
  if (filters.status) select = select.where('status', '=', filters.status);
  if (filters.user_id) select = select.where('user_id', '=', filters.user_id);
  if (cursor !== undefined) {
    const position = cursors.decode('orders', filters, cursor);
    select = select.where(beyondPosition({ time: 'created_at', id: 'order_id' }, direction, position));
  }
  const found = await runQuery(pool, select);
  const { rows, page } = toPage(found, limit, (last) =>
    cursors.encode('orders', filters, [last.position_time, last.order_id]),
  );
  return { rows: rows.map(({ position_time: _position, ...order }) => order), page };
}

/** One order, or undefined. */
export async function findOrder(
  { builder, owners }: OrderReads,
  pool: Pool,
  orderId: string,
): Promise<{ user_id: string; created_at: Date; updated_at: Date } | undefined> {
  let select = builder.selectFrom('orders').select(columns).where('order_id', '=', orderId);
  if (owners) {
    const owner = await owners.ofOrder(orderId);
    if (owner === null) return undefined;
    select = select.where('user_id', '=', owner);
  }
  return (await runQuery(pool, select))[0];
}

/** Events of one order by sequence, the oldest first; undefined where there is no such order. */
export async function listOrderEvents(
  reads: OrderReads,
  pool: Pool,
  orderId: string,
  query: { limit: number; cursor?: string | undefined },
): Promise<{ rows: unknown[]; page: Page } | undefined> {
  const filters = { order_id: orderId };
  const after = query.cursor === undefined ? '0' : reads.cursors.decode('order_events', filters, query.cursor)[0]!;
  const order = await findOrder(reads, pool, orderId);
  if (!order) return undefined;
  let select = reads.builder
    .selectFrom('order_events')
    .select([
      'event_id',
      'order_id',
      'user_id',
      'sequence',
      'kind',
      'provider',
      'provider_event_id',
      'data',
      'created_at',
    ])
    .where('order_id', '=', orderId)
    // Every event of an order also changes the order, so that its own times bound theirs, and other partitions are not
    // looked at. The times come from the clocks of several processes, hence the margin.
    .where('created_at', '>=', new Date(order.created_at.getTime() - clockMarginMs))
    .where('created_at', '<=', new Date(order.updated_at.getTime() + clockMarginMs))
    .where('sequence', '>', BigInt(after))
    .orderBy('sequence')
    .limit(query.limit + 1);
  if (reads.owners) select = select.where('user_id', '=', order.user_id);
  return toPage(await runQuery(pool, select), query.limit, (last) =>
    reads.cursors.encode('order_events', filters, [String(last.sequence)]),
  );
}
