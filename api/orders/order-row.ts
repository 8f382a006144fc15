import type { ClientBase } from 'pg';
import type { HoldReason, OrderStatus } from '../../kernel/contract/status.ts';
import { AppError } from '../../kernel/http/errors.ts';
import { ownedStatement } from '../../kernel/postgres/statement.ts';
import { uuidv7 } from '../../kernel/uuid.ts';
import { appendEvents } from '../journal/append.ts';
import type { OrderEventRow } from '../journal/rows.ts';
import { holdShards } from '../shards/hold.ts';
import type { Owners } from '../shards/owners.ts';

const selectForUpdate = ownedStatement(new URL('./sql/lock_order.sql', import.meta.url));
const updateOrder = ownedStatement(new URL('./sql/update_order.sql', import.meta.url));

/** An order with the names that the database and the API share. */
export interface OrderRow {
  order_id: string;
  user_id: string;
  status: OrderStatus;
  amount_minor: bigint | null;
  currency: string | null;
  on_hold: boolean;
  hold_reason: HoldReason | null;
  sequence: bigint;
  provider: string;
  provider_updated_at: Date;
  created_at: Date;
  updated_at: Date;
}

/**
 * Locks the order until the transaction ends: whoever gives out its sequence numbers holds this lock. `owner` is its
 * user where rows are sharded.
 */
export async function lockOrder(client: ClientBase, orderId: string, owner: string | undefined): Promise<OrderRow> {
  if (owner !== undefined) await holdShards(client, [owner]);
  const { rows } = await selectForUpdate<OrderRow>(client, [orderId], owner);
  if (!rows[0]) throw orderNotFound();
  return rows[0];
}

/** @returns the order's user where rows are sharded, else undefined. @throws AppError not_found */
export async function ownerOfOrder(owners: Owners | undefined, orderId: string): Promise<string | undefined> {
  if (!owners) return undefined;
  const owner = await owners.ofOrder(orderId);
  if (owner === null) throw orderNotFound();
  return owner;
}

export function orderNotFound(): AppError {
  return new AppError('not_found', 'No such order.');
}

/** What happened to an order that the caller has locked. */
export interface OrderChange {
  kind: Exclude<OrderEventRow['kind'], 'webhook_received'>;
  data: Record<string, unknown>;
  /** New hold, where the event changes it. */
  hold?: { on_hold: boolean; hold_reason: HoldReason | null };
  now: Date;
  requestId: string;
  /** The order's user where rows are sharded. */
  owner: string | undefined;
}

/** Numbers the event, writes it with its outbox row, and returns the order as it is afterwards. */
export async function recordOrderChange(client: ClientBase, order: OrderRow, change: OrderChange): Promise<OrderRow> {
  const { on_hold, hold_reason } = change.hold ?? order;
  const next: OrderRow = { ...order, on_hold, hold_reason, sequence: order.sequence + 1n, updated_at: change.now };
  await updateOrder(client, [order.order_id, on_hold, hold_reason, next.sequence, change.now], change.owner);
  await appendEvents(client, [
    {
      aggregate: 'order',
      eventId: uuidv7(change.now.getTime()),
      orderId: order.order_id,
      userId: order.user_id,
      sequence: next.sequence,
      kind: change.kind,
      provider: null,
      providerEventId: null,
      data: {
        ...change.data,
        after: { status: next.status, amount_minor: next.amount_minor, currency: next.currency },
      },
      createdAt: change.now,
      headers: { request_id: change.requestId },
    },
  ]);
  return next;
}
