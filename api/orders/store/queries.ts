import type { QueryBuilder } from '../../../kernel/postgres/query-builder.ts';
import { eventRange } from '../../journal/event-time.ts';
import type { OrderRow } from './locked-order.ts';

export const orderColumns = [
  'order_id',
  'user_id',
  'status',
  'amount_minor',
  'currency',
  'customer_id',
  'authorised_minor',
  'captured_minor',
  'refunded_minor',
  'on_hold',
  'hold_reason',
  'sequence',
  'provider',
  'provider_updated_at',
  'created_at',
  'updated_at',
] as const;

export const orderEventColumns = [
  'event_id',
  'order_id',
  'user_id',
  'sequence',
  'kind',
  'provider',
  'provider_event_id',
  'data',
  'created_at',
] as const;

export function selectOrder(builder: QueryBuilder, orderId: string) {
  // The check constraints of the table allow the values of the narrower types and no others.
  return builder
    .selectFrom('orders')
    .select([...orderColumns, 'payments'])
    .where('order_id', '=', orderId)
    .$castTo<OrderRow>();
}

export function selectGuests(builder: QueryBuilder, userId: string) {
  return builder.selectFrom('orders').select('user_id').distinct().where('customer_id', '=', userId);
}

export function selectOrderEvents(builder: QueryBuilder, order: OrderRow, window: { after: bigint; limit: number }) {
  const { from, to } = eventRange(order);
  return (
    builder
      .selectFrom('order_events')
      .select(orderEventColumns)
      .where('order_id', '=', order.order_id)
      // Every event of an order also changes the order, so that its own times bound theirs, and other partitions are not
      // looked at.
      .where('created_at', '>=', from)
      .where('created_at', '<=', to)
      .where('sequence', '>', window.after)
      .orderBy('sequence')
      .limit(window.limit)
  );
}
