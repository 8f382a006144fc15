import type { Pool } from 'pg';
import type { RowOf } from '../../../kernel/postgres/columns.ts';
import type { Committed } from '../../../kernel/postgres/transaction.ts';
import type { Rows } from '../../store/rows.ts';
import { type LockedOrder, lockOrder, type OrderRow, type OrderStatement } from './locked-order.ts';
import type { orderEventColumns } from './queries.ts';

export type { CaptureRow, LockedOrder, OrderRow } from './locked-order.ts';

/** A capture that was requested and has no outcome, although its caller has had the time to repeat the request. */
export type AbandonedCapture = RowOf<'captures', 'order_id' | 'idempotency_key' | 'amount_minor' | 'currency'>;

export type StoredOrderEvent = RowOf<'order_events', (typeof orderEventColumns)[number]>;

/** Orders with their captures, wherever their rows lie. */
export interface OrderStore {
  /** Runs `work` in one transaction that holds the order's lock. @throws AppError not_found */
  change<Result>(orderId: string, work: (order: LockedOrder) => Promise<Result>): Promise<Committed<Result>>;
  /** Ends a lease early, so that the caller's next attempt may ask the provider at once. */
  releaseCapture(orderId: string, captureId: string): Promise<void>;
  /** Requested before `requestedBefore`, under no lease at `now`, of orders that are not on hold; the oldest first. */
  abandonedCaptures(requestedBefore: Date, now: Date, limit: number): Promise<AbandonedCapture[]>;
  /** Under whom the orders lie that this user made as a guest, as far as one node can tell. */
  guestsOf(pool: Pool, userId: string): Promise<string[]>;
  /** One order as the node of `pool` has it, or undefined. */
  find(pool: Pool, orderId: string): Promise<OrderRow | undefined>;
  /** Events of an order behind the sequence number `after`, by sequence, at most `limit` of them. */
  events(pool: Pool, order: OrderRow, window: { after: bigint; limit: number }): Promise<StoredOrderEvent[]>;
}

/** The part of the store that needs no more than to be led to the rows. */
export function orderCommands(
  rows: Rows<OrderStatement>,
): Pick<OrderStore, 'change' | 'releaseCapture' | 'abandonedCaptures'> {
  return {
    change: (orderId, work) =>
      rows.change(orderId, async (send, client) => work(await lockOrder(send, client, orderId))),
    releaseCapture: async (orderId, captureId) => {
      const send = await rows.about(orderId);
      await send('lease_capture', [captureId, null]);
    },
    abandonedCaptures: async (requestedBefore, now, limit) => {
      const values = [requestedBefore, now, limit];
      return (await rows.everywhere<AbandonedCapture>('find_abandoned_captures', values)).rows;
    },
  };
}
