import type { ClientBase } from 'pg';
import type { DisputeWebhook, OrderWebhook } from '../../../kernel/contract/webhooks.ts';
import { statement } from '../../../kernel/postgres/statement.ts';
import { holdShards } from '../../shards/hold.ts';
import { disputeState, keyOf, type Loaded, orderState } from '../load.ts';
import { type ParkedWebhook, parseParked } from '../parked.ts';
import type { DisputeState, OrderState } from '../state.ts';
import { nobodysUser, type ShardedWebhook } from './item.ts';

const findKeys = statement(new URL('./sql/find_keys.sql', import.meta.url));
const lockOrders = statement(new URL('./sql/lock_orders.sql', import.meta.url));
const lockUnknownOrder = statement(new URL('./sql/lock_unknown_order.sql', import.meta.url));
const lockDisputes = statement(new URL('./sql/lock_disputes.sql', import.meta.url));
const takeParked = statement(new URL('./sql/take_parked.sql', import.meta.url));

export interface ShardedLoaded extends Loaded {
  /** Parked under nobody, and applied under the order's owner meanwhile: only the parked row is left to remove. */
  settled: ParkedWebhook[];
}

/** Users in groups of which each lies in one shard. */
export type GroupUsers = (userIds: readonly string[]) => string[][];

type Item = ShardedWebhook & { event: OrderWebhook | DisputeWebhook };

/** As `loadBatch`, for rows that lie in the shards of their users. */
export async function loadSharded(
  client: ClientBase,
  batch: readonly ShardedWebhook[],
  groupUsers: GroupUsers,
): Promise<ShardedLoaded> {
  const items = batch.filter((webhook): webhook is Item => webhook.event.target !== 'none');
  const loaded: ShardedLoaded = {
    ...{ keys: new Map(), orders: new Map(), disputes: new Map(), parked: new Map(), settled: [] },
  };
  const [, found] = await Promise.all([
    holdShards(
      client,
      batch.map((webhook) => webhook.storedAs),
    ),
    loadKeys(client, batch.map(nameOf)),
    readOrders(client, items, groupUsers, loaded.orders),
    readDisputes(client, items.map(disputeOf), groupUsers, loaded.disputes),
  ]);
  for (const webhook of batch) {
    const digest = found.get(keyUnder(nameOf(webhook)));
    if (digest !== undefined) loaded.keys.set(keyOf(webhook.provider, webhook.event.providerEventId), digest);
  }
  const unknown = items.filter(
    ({ provider, event }) =>
      !loaded.keys.has(keyOf(provider, event.providerEventId)) && !loaded.orders.has(event.orderId),
  );
  if (unknown.length > 0) await loadUnknown(client, unknown, groupUsers, loaded);
  return loaded;
}

interface KeyName {
  userId: string;
  provider: string;
  providerEventId: string;
}

function nameOf(webhook: ShardedWebhook): KeyName {
  return {
    userId: webhook.storedAs,
    provider: webhook.provider,
    providerEventId: webhook.event.providerEventId,
  };
}

function keyUnder({ userId, provider, providerEventId }: KeyName): string {
  return `${userId}\0${keyOf(provider, providerEventId)}`;
}

async function loadKeys(client: ClientBase, names: readonly KeyName[]): Promise<Map<string, string>> {
  const result = await findKeys<{ user_id: string; provider: string; provider_event_id: string; body_sha256: string }>(
    client,
    [[...new Set(names.map((name) => name.userId))], names.map((name) => name.providerEventId)],
  );
  return new Map(
    result.rows.map((row) => [
      keyUnder({ userId: row.user_id, provider: row.provider, providerEventId: row.provider_event_id }),
      row.body_sha256,
    ]),
  );
}

/** As in `loadBatch`: whoever meets an unknown order takes a lock on its id and looks again. */
async function loadUnknown(
  client: ClientBase,
  items: readonly Item[],
  groupUsers: GroupUsers,
  into: ShardedLoaded,
): Promise<void> {
  const owners = new Map(items.map((item) => [item.event.orderId, item.storedAs]));
  const ids = [...owners.keys()].sort();
  await Promise.all([
    ...ids.map((orderId) => lockUnknownOrder(client, [owners.get(orderId), orderId])),
    readOrders(client, items, groupUsers, into.orders),
    readDisputes(client, items.map(disputeOf), groupUsers, into.disputes),
  ]);
  await loadParked(client, items, into);
  const waiting = [...into.parked.values()].flat().map(({ event }) => ({ event, userId: owners.get(event.orderId)! }));
  await readDisputes(client, waiting, groupUsers, into.disputes);
}

async function readOrders(
  client: ClientBase,
  items: readonly Item[],
  groupUsers: GroupUsers,
  into: Map<string, OrderState>,
): Promise<void> {
  const results = await Promise.all(
    groupUsers(items.map((item) => item.storedAs)).map((users) => {
      const here = new Set(users);
      const ids = items.filter((item) => here.has(item.storedAs)).map((item) => item.event.orderId);
      return lockOrders<Record<string, never>>(client, [users, [...new Set(ids)]]);
    }),
  );
  for (const row of results.flatMap((result) => result.rows)) into.set(row.order_id!, orderState(row));
}

/** What waits for orders that the batch introduces: under their owner, and under nobody where the claim said so. */
async function loadParked(
  client: ClientBase,
  items: readonly Item[],
  { orders, parked, settled }: ShardedLoaded,
): Promise<void> {
  const introduced = items.filter(
    ({ event }) => event.target === 'order' && event.introduces && !orders.has(event.orderId),
  );
  if (introduced.length === 0) return;
  const owners = new Map(introduced.map((item) => [item.event.orderId, item.storedAs]));
  const nobodys = introduced.filter((item) => item.waiting).map((item) => nobodysUser(item.event.orderId));
  const result = await takeParked<{
    user_id: string;
    provider: string;
    provider_event_id: string;
    order_id: string;
    event: Record<string, unknown>;
    received_at: Date;
    body_sha256: string;
  }>(client, [[...new Set([...owners.values(), ...nobodys])], [...owners.keys()]]);
  const ownNames = (row: { provider: string; provider_event_id: string; order_id: string }): KeyName => ({
    userId: owners.get(row.order_id)!,
    provider: row.provider,
    providerEventId: row.provider_event_id,
  });
  const foreign = result.rows.filter((row) => row.user_id !== owners.get(row.order_id));
  const known = foreign.length === 0 ? new Map<string, string>() : await loadKeys(client, foreign.map(ownNames));
  for (const row of result.rows) {
    const webhook: ParkedWebhook = {
      provider: row.provider,
      event: parseParked(row.event),
      receivedAt: row.received_at,
      stored: true,
      storedAs: { userId: row.user_id, bodySha256: row.body_sha256 },
    };
    if (foreign.includes(row) && known.has(keyUnder(ownNames(row)))) settled.push(webhook);
    else parked.set(row.order_id, [...(parked.get(row.order_id) ?? []), webhook]);
  }
}

/** An event and the user under whom its dispute would lie. */
type DisputeQuestion = { event: OrderWebhook | DisputeWebhook; userId: string };

function disputeOf(item: Item): DisputeQuestion {
  return { event: item.event, userId: item.storedAs };
}

async function readDisputes(
  client: ClientBase,
  questions: readonly DisputeQuestion[],
  groupUsers: GroupUsers,
  into: Map<string, DisputeState>,
): Promise<void> {
  const wanted = new Map<string, string>();
  for (const { event, userId } of questions) if (event.target === 'dispute') wanted.set(event.disputeId, userId);
  const results = await Promise.all(
    groupUsers([...wanted.values()]).map((users) => {
      const here = new Set(users);
      const ids = [...wanted].filter(([, user]) => here.has(user)).map(([disputeId]) => disputeId);
      return lockDisputes<Record<string, never>>(client, [users, ids]);
    }),
  );
  for (const row of results.flatMap((result) => result.rows)) into.set(row.dispute_id!, disputeState(row));
}
