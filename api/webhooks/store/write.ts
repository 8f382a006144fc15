import type { ClientBase } from 'pg';
import type { ReceivedWebhook } from '../../../kernel/contract/webhooks.ts';
import { appendOutbox } from '../../../kernel/outbox/append.ts';
import { columnsOf } from '../../../kernel/postgres/columns.ts';
import { statements } from '../../../kernel/postgres/statement.ts';
import { uuidv7 } from '../../../kernel/uuid.ts';
import { appendDisputeEvents, appendOrderEvents, outboxRow } from '../../journal/append.ts';
import type { BatchChanges, Outcome, QuarantinedWebhook } from '../batch.ts';
import { type ParkedWebhook, serializeParked } from '../parked.ts';
import { writePayments } from '../payments-json.ts';
import type { DisputeState, OrderState, Timed } from '../state.ts';
import type { BatchRows } from './webhook-store.ts';

/** The same on one server and in shards: the new row has the user in it. */
const sql = statements(new URL('./sql/', import.meta.url), ['insert_orders', 'insert_disputes', 'insert_quarantined']);

/**
 * Sends everything that the batch decided, one statement a table, and returns the statements without awaiting them.
 * `client` must be in pipeline mode: they leave together and share one round trip. The dedupe keys come first, so that
 * a batch that lost a race for one of them fails with that error; the statements behind it then fail with "transaction
 * is aborted", and nothing stays.
 */
export function writeBatch<Webhook extends ReceivedWebhook>(
  client: ClientBase,
  rows: BatchRows<Webhook>,
  batch: readonly Webhook[],
  changes: BatchChanges,
  now: Date,
): Promise<void>[] {
  const { events, outcomes } = changes;
  const orderEvents = events.filter((event) => event.aggregate === 'order');
  const disputeEvents = events.filter((event) => event.aggregate === 'dispute');
  return [
    rows.insertKeys(batch, changes),
    rows.insertDeliveries(batch, outcomes, now),
    ifAny([...changes.newOrders.values()], (orders) => insertOrders(client, orders, now)),
    ifAny([...changes.changedOrders.values()], (orders) => rows.updateOrders(orders)),
    ifAny([...changes.newDisputes.values()], (disputes) => insertDisputes(client, disputes, now)),
    ifAny([...changes.changedDisputes.values()], (disputes) => rows.updateDisputes(disputes)),
    appendOrderEvents(client, orderEvents),
    appendDisputeEvents(client, disputeEvents),
    appendOutbox(client, events.map(outboxRow)),
    ifAny(changes.newAttempts, (attempts) => rows.insertAttempts(attempts)),
    ifAny(changes.quarantine, (quarantined) => rows.insertQuarantined(quarantined, batch)),
    ifAny(changes.park, (parked) => rows.insertParked(parked, batch)),
    rows.deleteParked(changes.unpark),
  ];
}

async function ifAny<Item>(items: readonly Item[], send: (items: readonly Item[]) => Promise<void>): Promise<void> {
  if (items.length > 0) await send(items);
}

async function insertOrders(client: ClientBase, orders: readonly Timed<OrderState>[], now: Date): Promise<void> {
  const columns = columnsOf(orders.map(orderRow), [
    'orderId',
    'userId',
    'status',
    'amountMinor',
    'currency',
    'sequence',
    'provider',
    'providerUpdatedAt',
    'customerId',
    'paymentsJson',
    'authorisedMinor',
    'capturedMinor',
    'refundedMinor',
  ]);
  await sql.insert_orders(client, [...columns, now]);
}

async function insertDisputes(client: ClientBase, disputes: readonly DisputeState[], now: Date): Promise<void> {
  const columns = columnsOf(disputes, [
    'disputeId',
    'orderId',
    'userId',
    'status',
    'reason',
    'amountMinor',
    'currency',
    'sequence',
    'provider',
    'providerUpdatedAt',
    'chargedBackMinor',
    'fundsMovedAt',
    'openedAt',
    'evidenceDueAt',
    'closedAt',
  ]);
  await sql.insert_disputes(client, [...columns, now]);
}

/** What update_orders.sql sets, behind the order's id. */
export const changedOrderColumns = [
  'orderId',
  'status',
  'amountMinor',
  'currency',
  'sequence',
  'provider',
  'providerUpdatedAt',
  'customerId',
  'paymentsJson',
  'authorisedMinor',
  'capturedMinor',
  'refundedMinor',
  'updatedAt',
] as const satisfies (keyof OrderRow)[];

interface OrderRow extends Timed<OrderState> {
  /** How the order is paid, as its row has it. */
  paymentsJson: string | null;
}

export function orderRow(order: Timed<OrderState>): OrderRow {
  return { ...order, paymentsJson: writePayments(order.payments) };
}

/** What update_disputes.sql sets, behind the dispute's id. */
export const changedDisputeColumns = [
  'disputeId',
  'status',
  'reason',
  'amountMinor',
  'currency',
  'sequence',
  'provider',
  'providerUpdatedAt',
  'chargedBackMinor',
  'fundsMovedAt',
  'openedAt',
  'evidenceDueAt',
  'closedAt',
  'updatedAt',
] as const satisfies (keyof Timed<DisputeState>)[];

/** A dedupe key, with what its row says of it. */
export interface KeyToInsert {
  provider: string;
  providerEventId: string;
  bodySha256: string;
  receivedAt: Date;
}

/** The webhooks whose keys count from now on. */
export function claimingKey<Webhook>(batch: readonly Webhook[], outcomes: readonly Outcome[]): Webhook[] {
  return batch.filter((_webhook, index) => {
    const { verdict } = outcomes[index]!;
    return verdict !== 'duplicate' && verdict !== 'quarantined';
  });
}

export function keyToInsert({ provider, event, bodySha256, receivedAt }: ReceivedWebhook): KeyToInsert {
  return { provider, providerEventId: event.providerEventId, bodySha256, receivedAt };
}

/** The deliveries of a batch, as their rows have them but for the bodies, which travel as one text. */
export function deliveries(batch: readonly ReceivedWebhook[], outcomes: readonly Outcome[], now: Date) {
  return batch.map(({ provider, event, bodySha256, receivedAt }, index) => ({
    deliveryId: uuidv7(now.getTime()),
    provider,
    providerEventId: event.providerEventId,
    bodySha256,
    verdict: outcomes[index]!.verdict,
    reason: outcomes[index]!.reason,
    receivedAt,
  }));
}

/** Parked webhooks, as their rows have them. */
export function parkedRows(parked: readonly ParkedWebhook[]) {
  return parked.map(({ provider, event, receivedAt }) => ({
    provider,
    providerEventId: event.providerEventId,
    orderId: event.orderId,
    attemptReference: event.attemptReference,
    event: serializeParked(event),
    receivedAt,
  }));
}

/** Webhooks that wait for an operator. @param userOf the user under whom a webhook lies, where rows lie in shards */
export async function insertQuarantined(
  client: ClientBase,
  quarantined: readonly QuarantinedWebhook[],
  userOf: (webhook: QuarantinedWebhook) => string,
): Promise<void> {
  const rows = quarantined.map((webhook) => ({
    userId: userOf(webhook),
    provider: webhook.provider,
    providerEventId: webhook.event.providerEventId,
    digest: webhook.bodySha256 ?? '',
    reason: webhook.reason,
    event: serializeParked(webhook.event),
    receivedAt: webhook.receivedAt,
  }));
  await sql.insert_quarantined(
    client,
    columnsOf(rows, ['userId', 'provider', 'providerEventId', 'digest', 'reason', 'event', 'receivedAt']),
  );
}
