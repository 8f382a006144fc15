import type { ClientBase } from 'pg';
import type { DisputeWebhook, OrderWebhook, ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import { statement } from '../../kernel/postgres/statement.ts';
import type { Capabilities } from '../../kernel/topology.ts';
import { type ParkedWebhook, parseParked } from './parked.ts';
import type { DisputeState, OrderState } from './state.ts';

const findKeys = {
  natural_key: statement(new URL('./sql/find_keys.natural_key.sql', import.meta.url)),
  key_table: statement(new URL('./sql/find_keys.key_table.sql', import.meta.url)),
};
const lockOrders = statement(new URL('./sql/lock_orders.sql', import.meta.url));
const lockUnknownOrders = statement(new URL('./sql/lock_unknown_orders.sql', import.meta.url));
const takeParked = statement(new URL('./sql/take_parked.sql', import.meta.url));
const lockDisputes = statement(new URL('./sql/lock_disputes.sql', import.meta.url));

/** What the batch needs to know before it decides. All rows are locked until the transaction ends. */
export interface Loaded {
  /** Dedupe keys that exist already → SHA-256 of the body that had the effect. */
  keys: Map<string, string>;
  orders: Map<string, OrderState>;
  disputes: Map<string, DisputeState>;
  /** By order. */
  parked: Map<string, ParkedWebhook[]>;
}

/** Names one provider event; NUL cannot occur in either part. */
export function keyOf(provider: string, providerEventId: string): string {
  return `${provider}\0${providerEventId}`;
}

/**
 * Reads and locks everything that the batch touches, in the same order each time (orders by id, then disputes by id),
 * so that two batches do not wait for each other in a circle. `client` must be in pipeline mode: one round trip finds
 * what is there, and a second one, where orders are unknown, settles what about those. The second one locks behind the
 * first, out of that order: a circle that comes of it is broken by PostgreSQL's deadlock detection, and the transaction
 * that it ends is repeated.
 */
export async function loadBatch(
  client: ClientBase,
  batch: readonly ReceivedWebhook[],
  dedupe: Capabilities['dedupe'],
): Promise<Loaded> {
  const events = batch.map((webhook) => webhook.event).filter((event) => event.target !== 'none');
  const [keys, orders, disputes] = await Promise.all([
    loadKeys(client, batch, dedupe),
    loadOrders(client, idsOfOrders(events)),
    loadDisputes(client, idsOfDisputes(events)),
  ]);
  const loaded: Loaded = { keys, orders, disputes, parked: new Map() };
  const unknown = batch
    .filter((webhook) => !keys.has(keyOf(webhook.provider, webhook.event.providerEventId)))
    .map((webhook) => webhook.event)
    .filter((event) => event.target !== 'none')
    .filter((event) => !orders.has(event.orderId));
  if (unknown.length > 0) await loadUnknown(client, unknown, loaded);
  return loaded;
}

type Event = OrderWebhook | DisputeWebhook;

/**
 * An unknown order has no row to lock. Whoever would create it and whoever would park an event for it take the same
 * advisory lock instead and look again, so that nothing is parked beside an order that was created meanwhile.
 */
async function loadUnknown(client: ClientBase, events: readonly Event[], into: Loaded): Promise<void> {
  const orderIds = idsOfOrders(events);
  const introduced = idsOfOrders(events.filter((event) => event.target === 'order' && event.introduces));
  const [, orders, disputes, parked] = await Promise.all([
    lockUnknownOrders(client, [orderIds]),
    loadOrders(client, orderIds),
    loadDisputes(client, idsOfDisputes(events)),
    loadParked(client, introduced),
  ]);
  for (const [id, order] of orders) into.orders.set(id, order);
  for (const [id, dispute] of disputes) into.disputes.set(id, dispute);
  // What waits for an order that exists by now is the affair of whoever created it.
  for (const [orderId, waiting] of parked) if (!orders.has(orderId)) into.parked.set(orderId, waiting);
  const waiting = [...into.parked.values()].flat().map((webhook) => webhook.event);
  for (const [id, dispute] of await loadDisputes(client, idsOfDisputes(waiting))) into.disputes.set(id, dispute);
}

function idsOfOrders(events: readonly Event[]): string[] {
  return [...new Set(events.map((event) => event.orderId))];
}

function idsOfDisputes(events: readonly Event[]): string[] {
  return [...new Set(events.filter((event) => event.target === 'dispute').map((event) => event.disputeId))];
}

async function loadKeys(
  client: ClientBase,
  batch: readonly ReceivedWebhook[],
  dedupe: Capabilities['dedupe'],
): Promise<Map<string, string>> {
  const values = [batch.map((webhook) => webhook.provider), batch.map((webhook) => webhook.event.providerEventId)];
  const result = await findKeys[dedupe]<{ provider: string; provider_event_id: string; body_sha256: string }>(
    client,
    values,
  );
  return new Map(result.rows.map((row) => [keyOf(row.provider, row.provider_event_id), row.body_sha256]));
}

async function loadOrders(client: ClientBase, orderIds: string[]): Promise<Map<string, OrderState>> {
  const orders = new Map<string, OrderState>();
  if (orderIds.length === 0) return orders;
  const result = await lockOrders<Record<string, never>>(client, [orderIds]);
  for (const row of result.rows) orders.set(row.order_id!, orderState(row));
  return orders;
}

/** A row of lock_orders.sql. */
export function orderState(row: Record<string, never>): OrderState {
  return {
    orderId: row.order_id!,
    userId: row.user_id!,
    status: row.status!,
    amountMinor: row.amount_minor!,
    currency: row.currency!,
    sequence: row.sequence!,
    provider: row.provider!,
    providerUpdatedAt: row.provider_updated_at!,
  };
}

async function loadParked(client: ClientBase, orderIds: string[]): Promise<Map<string, ParkedWebhook[]>> {
  const parked = new Map<string, ParkedWebhook[]>();
  if (orderIds.length === 0) return parked;
  const result = await takeParked<{
    provider: string;
    order_id: string;
    event: Record<string, unknown>;
    received_at: Date;
  }>(client, [orderIds]);
  for (const row of result.rows) {
    const webhook = {
      provider: row.provider,
      event: parseParked(row.event),
      receivedAt: row.received_at,
      stored: true,
    };
    parked.set(row.order_id, [...(parked.get(row.order_id) ?? []), webhook]);
  }
  return parked;
}

async function loadDisputes(client: ClientBase, disputeIds: string[]): Promise<Map<string, DisputeState>> {
  const disputes = new Map<string, DisputeState>();
  if (disputeIds.length === 0) return disputes;
  const result = await lockDisputes<Record<string, never>>(client, [disputeIds]);
  for (const row of result.rows) disputes.set(row.dispute_id!, disputeState(row));
  return disputes;
}

/** A row of lock_disputes.sql. */
export function disputeState(row: Record<string, never>): DisputeState {
  return {
    disputeId: row.dispute_id!,
    orderId: row.order_id!,
    userId: row.user_id!,
    status: row.status!,
    reason: row.reason!,
    amountMinor: row.amount_minor!,
    currency: row.currency!,
    sequence: row.sequence!,
    provider: row.provider!,
    providerUpdatedAt: row.provider_updated_at!,
    openedAt: row.opened_at!,
    evidenceDueAt: row.evidence_due_at!,
    closedAt: row.closed_at!,
  };
}
