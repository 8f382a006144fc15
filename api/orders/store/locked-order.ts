import type { ClientBase } from 'pg';
import type { HoldReason, OrderStatus } from '../../../kernel/contract/status.ts';
import { AppError } from '../../../kernel/http/errors.ts';
import type { NarrowedRow } from '../../../kernel/postgres/columns.ts';
import { appendEvents } from '../../journal/append.ts';
import { nextEventTime } from '../../journal/event-time.ts';
import { type MerchantChange, merchantEvent } from '../../journal/merchant-event.ts';
import type { OrderEventRow } from '../../journal/rows.ts';
import type { Send } from '../../store/rows.ts';

/** The statements that lock and change an order; each store has a file for each of them. */
export const orderStatements = [
  'lock_order',
  'update_order',
  'find_capture',
  'sum_captures',
  'insert_capture',
  'lease_capture',
  'finish_capture',
  'find_abandoned_captures',
] as const;
export type OrderStatement = (typeof orderStatements)[number];

/** An order with the names that the database and the API share. */
export type OrderRow = NarrowedRow<'orders', { status: OrderStatus; hold_reason: HoldReason | null }>;

/**
 * A capture with the names that the database and the API share. Its id is also the idempotency key at the provider;
 * `leased_until` is set while a request is asking the provider, and null once it has stopped.
 */
export type CaptureRow = Omit<
  NarrowedRow<'captures', { status: 'requested' | 'completed' | 'failed' }>,
  'idempotency_key'
>;

/** What happened to an order that the caller has locked. */
export interface OrderChange extends MerchantChange {
  kind: Exclude<OrderEventRow['kind'], 'webhook_received'>;
  /** New hold, where the event changes it. */
  hold?: { on_hold: boolean; hold_reason: HoldReason | null };
}

export function orderNotFound(): AppError {
  return new AppError('not_found', 'No such order.');
}

/**
 * Locks the order until the transaction ends: only the holder of this lock gives out the order's sequence numbers.
 * @throws AppError not_found
 */
export async function lockOrder(send: Send<OrderStatement>, client: ClientBase, orderId: string): Promise<LockedOrder> {
  const { rows } = await send<OrderRow>('lock_order', [orderId]);
  if (!rows[0]) throw orderNotFound();
  return new LockedOrder(send, client, rows[0]);
}

/** An order whose row is locked, with its captures. Valid until the transaction ends. */
export class LockedOrder {
  readonly row: OrderRow;
  readonly #send: Send<OrderStatement>;
  readonly #client: ClientBase;

  constructor(send: Send<OrderStatement>, client: ClientBase, row: OrderRow) {
    this.#send = send;
    this.#client = client;
    this.row = row;
  }

  async findCapture(idempotencyKey: string): Promise<CaptureRow | undefined> {
    return (await this.#send<CaptureRow>('find_capture', [this.row.order_id, idempotencyKey])).rows[0];
  }

  /** Minor units that captures have taken, or may have taken, from the order. */
  async capturedMinor(): Promise<bigint> {
    // The sum of int8 is numeric, hence the way through text.
    const { rows } = await this.#send<{ captured_minor: string }>('sum_captures', [this.row.order_id]);
    return BigInt(rows[0]!.captured_minor);
  }

  async insertCapture(capture: CaptureRow, idempotencyKey: string): Promise<void> {
    const { capture_id, order_id, amount_minor, currency, leased_until, created_at } = capture;
    await this.#send('insert_capture', [
      capture_id,
      order_id,
      idempotencyKey,
      amount_minor,
      currency,
      leased_until,
      created_at,
    ]);
  }

  /** Says until when the caller is asking the provider about a capture that has no outcome yet. */
  async leaseCapture(captureId: string, leasedUntil: Date): Promise<void> {
    await this.#send('lease_capture', [captureId, leasedUntil]);
  }

  /** Stores the outcome of a capture and ends its lease. */
  async finishCapture(capture: CaptureRow): Promise<void> {
    const { capture_id, status, provider_reference, failure_reason, updated_at } = capture;
    await this.#send('finish_capture', [capture_id, status, provider_reference, failure_reason, updated_at]);
  }

  /** Numbers the event, writes it with its outbox row, and returns the order as it is afterwards. */
  async record(change: OrderChange): Promise<OrderRow> {
    const { order_id, sequence } = this.row;
    const { on_hold, hold_reason } = change.hold ?? this.row;
    const updated_at = nextEventTime(change.now, this.row.updated_at);
    const next: OrderRow = { ...this.row, on_hold, hold_reason, sequence: sequence + 1n, updated_at };
    await this.#send('update_order', [order_id, on_hold, hold_reason, next.sequence, updated_at]);
    const after = { status: next.status, amount_minor: next.amount_minor, currency: next.currency };
    await appendEvents(this.#client, [
      { aggregate: 'order', kind: change.kind, ...merchantEvent(next, change, after) },
    ]);
    return next;
  }
}
