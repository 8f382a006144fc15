import type { DisputeStatus, OrderStatus } from '../../../kernel/contract/status.ts';
import type { DisputeWebhook, OrderWebhook, ReceivedWebhook } from '../../../kernel/contract/webhooks.ts';
import type { NarrowedRow } from '../../../kernel/postgres/columns.ts';
import { isOrderRelated, keyOf, type Loaded, type OrderRelated } from '../batch.ts';
import { type ParkedWebhook, parseParked } from '../parked.ts';
import { readPayments } from '../payments-json.ts';
import type { DisputeState, OrderState, Timed } from '../state.ts';
import type { BatchRows } from './webhook-store.ts';

/** `Loaded` while it is being read. */
interface Loading extends Loaded {
  readonly orders: Map<string, Timed<OrderState>>;
  readonly disputes: Map<string, Timed<DisputeState>>;
  readonly attempts: Map<string, string>;
  parked: readonly ParkedWebhook[];
}

/**
 * Reads and locks everything that the batch touches, in the same order each time (orders by id, then disputes by id),
 * so that two batches do not wait for each other in a circle: one round trip finds what is there, and a second one,
 * where orders are unknown, finds out what about those. The second one locks behind the first, out of that order: a
 * circle that comes of it is broken by PostgreSQL's deadlock detection, and the transaction that it ends is repeated.
 */
export async function loadBatch<Webhook extends ReceivedWebhook>(
  rows: BatchRows<Webhook>,
  batch: readonly Webhook[],
): Promise<Loaded> {
  const webhooks = batch.filter((webhook) => isOrderRelated(webhook));
  const [keys, attempts, orders, disputes] = await Promise.all([
    rows.findKeys(batch),
    rows.findAttempts(webhooks),
    rows.lockOrders(webhooks),
    rows.lockDisputes(webhooks),
  ]);
  const loaded: Loading = {
    keys,
    attempts,
    owners: new Map(),
    orders: new Map(),
    disputes: new Map(),
    parked: [],
  };
  addStates(loaded, orders, disputes);
  const unknown = webhooks.filter(
    ({ provider, event }) => !keys.has(keyOf(provider, event.providerEventId)) && isUnknown(loaded, event),
  );
  if (unknown.length > 0) await loadUnknown(rows, unknown, loaded);
  return loaded;
}

/** Whether an event is about an order that has no row, or makes an attempt known for which others may wait. */
function isUnknown({ orders, attempts }: Loaded, event: OrderWebhook | DisputeWebhook): boolean {
  const { attemptReference: reference } = event;
  const isNewAttempt = reference !== null && !attempts.has(reference) && namesAttempt(event);
  return isNewAttempt || !orders.has((reference !== null && attempts.get(reference)) || event.orderId);
}

/**
 * An unknown order has no row to lock. A transaction that would create it and one that would park an event for it take
 * the same advisory lock instead and look again, so that nothing is parked beside an order that was created meanwhile.
 */
async function loadUnknown<Webhook extends ReceivedWebhook>(
  rows: BatchRows<Webhook>,
  unknown: readonly OrderRelated<Webhook>[],
  into: Loading,
): Promise<void> {
  const { attempts, orders, disputes, parked } = await rows.lookAgain(unknown);
  addStates(into, orders, disputes);
  for (const [reference, orderId] of attempts) into.attempts.set(reference, orderId);
  // What waits for an order that exists by now is the affair of the transaction that created it; an attempt's, too. In
  // shards that transaction can't find what waits under the name of another attempt: it is found when that one is named.
  const named = new Set(attemptsOf(unknown.filter(({ event }) => namesAttempt(event))));
  into.parked = parked.filter(({ event: { attemptReference: reference, orderId } }) => {
    if (reference !== null && into.attempts.has(reference)) return false;
    return !into.orders.has(orderId) || (reference !== null && named.has(reference));
  });
  addStates(into, [], await rows.lockWaitingDisputes(into.parked, unknown));
}

function addStates(
  into: Loading,
  orders: readonly Timed<OrderState>[],
  disputes: readonly Timed<DisputeState>[],
): void {
  for (const order of orders) into.orders.set(order.orderId, order);
  for (const dispute of disputes) into.disputes.set(dispute.disputeId, dispute);
}

/** Without those that come twice. */
export function unique(values: Iterable<string>): string[] {
  return [...new Set(values)];
}

/** Whether the webhook would make its order known. */
export function introducesOrder({ event }: OrderRelated<ReceivedWebhook>): boolean {
  return event.target === 'order' && event.introduces;
}

/** Whether the webhook would make its attempt known. */
export function namesAttempt(event: OrderWebhook | DisputeWebhook): boolean {
  return event.target === 'order' && event.payment !== null && event.payment.namesAttempt;
}

/** The names of the attempts that the webhooks are about. */
export function attemptsOf(webhooks: readonly Pick<OrderRelated<ReceivedWebhook>, 'event'>[]): string[] {
  return unique(webhooks.map(({ event }) => event.attemptReference).filter((reference) => reference !== null));
}

type OrderColumns =
  | 'order_id'
  | 'user_id'
  | 'status'
  | 'amount_minor'
  | 'currency'
  | 'sequence'
  | 'provider'
  | 'provider_updated_at'
  | 'updated_at';

type PaymentColumns = 'customer_id' | 'payments' | 'authorised_minor' | 'captured_minor' | 'refunded_minor';

/** A row of lock_orders.sql. */
export type LockedOrderRow = Pick<NarrowedRow<'orders', { status: OrderStatus }>, OrderColumns | PaymentColumns>;

export function orderState(row: LockedOrderRow): Timed<OrderState> {
  return {
    orderId: row.order_id,
    userId: row.user_id,
    status: row.status,
    amountMinor: row.amount_minor,
    currency: row.currency,
    sequence: row.sequence,
    provider: row.provider,
    providerUpdatedAt: row.provider_updated_at,
    updatedAt: row.updated_at,
    customerId: row.customer_id,
    payments: readPayments(row.payments),
    authorisedMinor: row.authorised_minor,
    capturedMinor: row.captured_minor,
    refundedMinor: row.refunded_minor,
  };
}

type DisputeColumns =
  | Exclude<OrderColumns, 'status'>
  | 'dispute_id'
  | 'status'
  | 'reason'
  | 'charged_back_minor'
  | 'funds_moved_at'
  | 'opened_at'
  | 'evidence_due_at'
  | 'closed_at';

/** A row of lock_disputes.sql. */
export type LockedDisputeRow = Pick<NarrowedRow<'disputes', { status: DisputeStatus }>, DisputeColumns>;

export function disputeState(row: LockedDisputeRow): Timed<DisputeState> {
  return {
    disputeId: row.dispute_id,
    orderId: row.order_id,
    userId: row.user_id,
    status: row.status,
    reason: row.reason,
    amountMinor: row.amount_minor,
    currency: row.currency,
    sequence: row.sequence,
    provider: row.provider,
    providerUpdatedAt: row.provider_updated_at,
    updatedAt: row.updated_at,
    chargedBackMinor: row.charged_back_minor,
    fundsMovedAt: row.funds_moved_at,
    openedAt: row.opened_at,
    evidenceDueAt: row.evidence_due_at,
    closedAt: row.closed_at,
  };
}

/** A row of take_parked.sql. */
export type ParkedRow = NarrowedRow<'parked_webhooks', { event: Record<string, unknown> }>;

export function parkedWebhook(row: Pick<ParkedRow, 'provider' | 'event' | 'received_at'>): ParkedWebhook {
  return { provider: row.provider, event: parseParked(row.event), receivedAt: row.received_at, stored: true };
}

/** A row of find_keys.sql; the digest is hexadecimal. */
export type KeyRow = Pick<
  NarrowedRow<'webhook_keys', { body_sha256: string }>,
  'provider' | 'provider_event_id' | 'body_sha256'
>;
