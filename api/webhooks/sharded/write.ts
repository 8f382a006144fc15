import type { ClientBase } from 'pg';
import { joinJsonTexts } from '../../../kernel/postgres/json-texts.ts';
import { statement } from '../../../kernel/postgres/statement.ts';
import { uuidv7 } from '../../../kernel/uuid.ts';
import { appendDisputeEvents, appendOrderEvents, appendOutbox, outboxRow } from '../../journal/append.ts';
import type { BatchChanges, Outcome } from '../decide.ts';
import { keyOf } from '../load.ts';
import { type ParkedWebhook, serializeParked } from '../parked.ts';
import type { DisputeState, OrderState } from '../state.ts';
import { claimsKey, columnsOfChanged, writeNewDisputes, writeNewOrders } from '../write.ts';
import { isNobodys, type ShardedWebhook } from './item.ts';
import type { ShardedLoaded } from './load.ts';

const insertKeys = statement(new URL('./sql/insert_keys.sql', import.meta.url));
const insertDeliveries = statement(new URL('./sql/insert_deliveries.sql', import.meta.url));
const insertParked = statement(new URL('./sql/insert_parked.sql', import.meta.url));
const deleteParked = statement(new URL('./sql/delete_parked.sql', import.meta.url));
const updateOrders = statement(new URL('./sql/update_orders.sql', import.meta.url));
const updateDisputes = statement(new URL('./sql/update_disputes.sql', import.meta.url));

/** As `writeBatch`, for rows that lie in the shards of their users. */
export function writeSharded(
  client: ClientBase,
  batch: readonly ShardedWebhook[],
  changes: BatchChanges,
  loaded: ShardedLoaded,
  now: Date,
): Promise<void>[] {
  const { events } = changes;
  return [
    writeKeys(client, batch, changes, loaded.orders),
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
    writeParked(client, batch, changes.park),
    removeParked(client, [...changes.unpark, ...loaded.settled]),
  ];
}

/** What was parked under nobody takes its key along to the shard of its effect, where a repetition will look for it. */
async function writeKeys(
  client: ClientBase,
  batch: readonly ShardedWebhook[],
  changes: BatchChanges,
  orders: Map<string, OrderState>,
): Promise<void> {
  const claimed = batch
    .filter((_webhook, index) => claimsKey(changes.outcomes[index]!))
    .map((webhook) => ({ ...webhook, userId: webhook.storedAs }));
  const moved = changes.unpark
    .filter((webhook) => isNobodys(webhook.storedAs!.userId))
    .map((webhook) => ({
      ...webhook,
      bodySha256: webhook.storedAs!.bodySha256,
      userId: orders.get(webhook.event.orderId)!.userId,
    }));
  const keys = [...claimed, ...moved];
  if (keys.length === 0) return;
  await insertKeys(client, [
    keys.map((key) => key.provider),
    keys.map((key) => key.event.providerEventId),
    keys.map((key) => key.userId),
    keys.map((key) => key.bodySha256),
    keys.map((key) => key.receivedAt),
  ]);
}

async function writeDeliveries(
  client: ClientBase,
  batch: readonly ShardedWebhook[],
  outcomes: Outcome[],
  now: Date,
): Promise<void> {
  await insertDeliveries(client, [
    batch.map(() => uuidv7(now.getTime())),
    batch.map((webhook) => webhook.provider),
    batch.map((webhook) => webhook.event.providerEventId),
    batch.map((webhook) => webhook.storedAs),
    batch.map((webhook) => webhook.bodySha256),
    joinJsonTexts(batch.map((webhook) => webhook.body)),
    outcomes.map((outcome) => outcome.verdict),
    outcomes.map((outcome) => outcome.reason),
    batch.map((webhook) => webhook.receivedAt),
  ]);
}

async function writeChangedOrders(client: ClientBase, orders: OrderState[], now: Date): Promise<void> {
  if (orders.length === 0) return;
  await updateOrders(client, [orders.map((order) => order.userId), ...columnsOfChanged.orders(orders), now]);
}

async function writeChangedDisputes(client: ClientBase, disputes: DisputeState[], now: Date): Promise<void> {
  if (disputes.length === 0) return;
  const users = disputes.map((dispute) => dispute.userId);
  await updateDisputes(client, [users, ...columnsOfChanged.disputes(disputes), now]);
}

async function writeParked(
  client: ClientBase,
  batch: readonly ShardedWebhook[],
  parked: readonly ParkedWebhook[],
): Promise<void> {
  if (parked.length === 0) return;
  const places = new Map(batch.map((one) => [keyOf(one.provider, one.event.providerEventId), one.storedAs]));
  await insertParked(client, [
    parked.map((webhook) => webhook.provider),
    parked.map((webhook) => webhook.event.providerEventId),
    parked.map((webhook) => webhook.event.orderId),
    parked.map((webhook) => places.get(keyOf(webhook.provider, webhook.event.providerEventId))!),
    parked.map((webhook) => serializeParked(webhook.event)),
    parked.map((webhook) => webhook.receivedAt),
  ]);
}

async function removeParked(client: ClientBase, parked: readonly ParkedWebhook[]): Promise<void> {
  await Promise.all(
    parked.map((webhook) =>
      deleteParked(client, [webhook.storedAs!.userId, webhook.provider, webhook.event.providerEventId]),
    ),
  );
}
