import type { ClientBase } from 'pg';
import type { ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import { joinJsonTexts } from '../../kernel/postgres/json-texts.ts';
import { statement } from '../../kernel/postgres/statement.ts';
import type { Capabilities } from '../../kernel/topology.ts';
import { uuidv7 } from '../../kernel/uuid.ts';
import { appendDisputeEvents, appendOrderEvents, appendOutbox, outboxRow } from '../journal/append.ts';
import type { BatchChanges, Outcome } from './decide.ts';
import { type ParkedWebhook, serializeParked } from './parked.ts';
import type { DisputeState, OrderState } from './state.ts';

const insertOrders = statement(new URL('./sql/insert_orders.sql', import.meta.url));
const updateOrders = statement(new URL('./sql/update_orders.sql', import.meta.url));
const insertDisputes = statement(new URL('./sql/insert_disputes.sql', import.meta.url));
const updateDisputes = statement(new URL('./sql/update_disputes.sql', import.meta.url));
const insertDeliveries = statement(new URL('./sql/insert_deliveries.sql', import.meta.url));
const insertKeys = statement(new URL('./sql/insert_keys.key_table.sql', import.meta.url));
const insertParked = statement(new URL('./sql/insert_parked.sql', import.meta.url));
const deleteParked = statement(new URL('./sql/delete_parked.sql', import.meta.url));

/**
 * Sends everything that the batch decided, one statement a table, and returns the statements without awaiting them.
 * `client` must be in pipeline mode: they leave together and share one round trip. The dedupe keys come first, so that
 * a batch that lost a race for one of them fails with that error; the statements behind it then fail with "transaction
 * is aborted", and nothing stays.
 */
export function writeBatch(
  client: ClientBase,
  batch: readonly ReceivedWebhook[],
  changes: BatchChanges,
  dedupe: Capabilities['dedupe'],
  now: Date,
): Promise<void>[] {
  const { events } = changes;
  return [
    ...(dedupe === 'key_table' ? [writeKeys(client, batch, changes.outcomes)] : []),
    writeDeliveries(client, batch, changes.outcomes, now),
    writeNewOrders(client, [...changes.newOrders.values()], now),
    writeChangedOrders(client, [...changes.changedOrders.values()], now),
    writeNewDisputes(client, [...changes.newDisputes.values()], now),
    writeChangedDisputes(client, [...changes.changedDisputes.values()], now),
    appendOrderEvents(
      client,
      events.filter((event) => event.aggregate === 'order'),
    ),
    appendDisputeEvents(
      client,
      events.filter((event) => event.aggregate === 'dispute'),
    ),
    appendOutbox(client, events.map(outboxRow)),
    writeParked(client, changes.park),
    removeParked(client, changes.unpark),
  ];
}

async function writeKeys(client: ClientBase, batch: readonly ReceivedWebhook[], outcomes: Outcome[]): Promise<void> {
  const claimed = batch.filter((_webhook, index) => claimsKey(outcomes[index]!));
  if (claimed.length === 0) return;
  await insertKeys(client, [
    claimed.map((webhook) => webhook.provider),
    claimed.map((webhook) => webhook.event.providerEventId),
    claimed.map((webhook) => webhook.bodySha256),
    claimed.map((webhook) => webhook.receivedAt),
  ]);
}

/** Whether the webhook's key counts from now on. */
export function claimsKey(outcome: Outcome): boolean {
  return outcome.verdict !== 'duplicate' && outcome.verdict !== 'quarantined';
}

async function writeDeliveries(
  client: ClientBase,
  batch: readonly ReceivedWebhook[],
  outcomes: Outcome[],
  now: Date,
): Promise<void> {
  await insertDeliveries(client, [
    batch.map(() => uuidv7(now.getTime())),
    batch.map((webhook) => webhook.provider),
    batch.map((webhook) => webhook.event.providerEventId),
    batch.map((webhook) => webhook.bodySha256),
    joinJsonTexts(batch.map((webhook) => webhook.body)),
    outcomes.map((outcome) => outcome.verdict),
    outcomes.map((outcome) => outcome.reason),
    batch.map((webhook) => webhook.receivedAt),
  ]);
}

export async function writeNewOrders(client: ClientBase, orders: OrderState[], now: Date): Promise<void> {
  if (orders.length === 0) return;
  await insertOrders(client, [
    orders.map((order) => order.orderId),
    orders.map((order) => order.userId),
    orders.map((order) => order.status),
    orders.map((order) => order.amountMinor),
    orders.map((order) => order.currency),
    orders.map((order) => order.sequence),
    orders.map((order) => order.provider),
    orders.map((order) => order.providerUpdatedAt),
    now,
  ]);
}

async function writeChangedOrders(client: ClientBase, orders: OrderState[], now: Date): Promise<void> {
  if (orders.length === 0) return;
  await updateOrders(client, [...columnsOfChanged.orders(orders), now]);
}

/** One array a column: what an update sets, behind the key. The sharded statements have the user in front of it. */
export const columnsOfChanged = {
  orders: (orders: readonly OrderState[]): unknown[][] => [
    orders.map((order) => order.orderId),
    orders.map((order) => order.status),
    orders.map((order) => order.amountMinor),
    orders.map((order) => order.currency),
    orders.map((order) => order.sequence),
    orders.map((order) => order.provider),
    orders.map((order) => order.providerUpdatedAt),
  ],
  disputes: (disputes: readonly DisputeState[]): unknown[][] => [
    disputes.map((dispute) => dispute.disputeId),
    disputes.map((dispute) => dispute.status),
    disputes.map((dispute) => dispute.reason),
    disputes.map((dispute) => dispute.sequence),
    disputes.map((dispute) => dispute.provider),
    disputes.map((dispute) => dispute.providerUpdatedAt),
    disputes.map((dispute) => dispute.openedAt),
    disputes.map((dispute) => dispute.evidenceDueAt),
    disputes.map((dispute) => dispute.closedAt),
  ],
};

export async function writeNewDisputes(client: ClientBase, disputes: DisputeState[], now: Date): Promise<void> {
  if (disputes.length === 0) return;
  await insertDisputes(client, [
    disputes.map((dispute) => dispute.disputeId),
    disputes.map((dispute) => dispute.orderId),
    disputes.map((dispute) => dispute.userId),
    disputes.map((dispute) => dispute.status),
    disputes.map((dispute) => dispute.reason),
    disputes.map((dispute) => dispute.amountMinor),
    disputes.map((dispute) => dispute.currency),
    disputes.map((dispute) => dispute.sequence),
    disputes.map((dispute) => dispute.provider),
    disputes.map((dispute) => dispute.providerUpdatedAt),
    disputes.map((dispute) => dispute.openedAt),
    disputes.map((dispute) => dispute.evidenceDueAt),
    disputes.map((dispute) => dispute.closedAt),
    now,
  ]);
}

async function writeChangedDisputes(client: ClientBase, disputes: DisputeState[], now: Date): Promise<void> {
  if (disputes.length === 0) return;
  await updateDisputes(client, [...columnsOfChanged.disputes(disputes), now]);
}

async function writeParked(client: ClientBase, parked: ParkedWebhook[]): Promise<void> {
  if (parked.length === 0) return;
  await insertParked(client, [
    parked.map((webhook) => webhook.provider),
    parked.map((webhook) => webhook.event.providerEventId),
    parked.map((webhook) => webhook.event.orderId),
    parked.map((webhook) => serializeParked(webhook.event)),
    parked.map((webhook) => webhook.receivedAt),
  ]);
}

async function removeParked(client: ClientBase, parked: ParkedWebhook[]): Promise<void> {
  if (parked.length === 0) return;
  await deleteParked(client, [
    parked.map((webhook) => webhook.provider),
    parked.map((webhook) => webhook.event.providerEventId),
  ]);
}
