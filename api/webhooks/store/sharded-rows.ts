import type { ClientBase } from 'pg';
import { columnsOf } from '../../../kernel/postgres/columns.ts';
import { joinJsonTexts } from '../../../kernel/postgres/json-texts.ts';
import { statements } from '../../../kernel/postgres/statement.ts';
import { type BatchChanges, keyOf, type OrderRelated, type Outcome, type QuarantinedWebhook } from '../batch.ts';
import type { ParkedWebhook } from '../parked.ts';
import type { DisputeState, OrderState, Timed } from '../state.ts';
import {
  attemptsOf,
  disputeState,
  introducesOrder,
  type KeyRow,
  type LockedDisputeRow,
  type LockedOrderRow,
  namesAttempt,
  orderState,
  type ParkedRow,
  parkedWebhook,
  unique,
} from './load.ts';
import { isPlaceholder, placeholderUser, type ShardedWebhook, waitingName } from './sharded-webhook.ts';
import type { BatchRows, SecondLook } from './webhook-store.ts';
import {
  changedDisputeColumns,
  changedOrderColumns,
  claimingKey,
  deliveries,
  insertQuarantined,
  keyToInsert,
  orderRow,
  parkedRows,
} from './write.ts';

const sql = statements(new URL('./sql/sharded/', import.meta.url), [
  'find_keys',
  'lock_orders',
  'lock_disputes',
  'lock_unknown_order',
  'take_parked',
  'insert_keys',
  'insert_deliveries',
  'update_orders',
  'update_disputes',
  'insert_parked',
  'delete_parked',
]);

/** Users in groups of which each lies in one shard. */
export type GroupUsers = (userIds: readonly string[]) => string[][];

type Related = OrderRelated<ShardedWebhook>;

/** An event, and the user under whom its dispute would lie. */
type DisputeQuestion = Pick<Related, 'event' | 'shardUser'>;

interface KeyName {
  userId: string;
  provider: string;
  providerEventId: string;
}

type ShardedParkedRow = ParkedRow & {
  user_id: string;
  /** Of its key; hexadecimal. */
  body_sha256: string;
};

/** With the user under whom its order lies. */
type PlacedParkedRow = ShardedParkedRow & { ownUser: string };

/** The statements of one transaction for rows that lie in the shards of their users. */
export class ShardedRows implements BatchRows<ShardedWebhook> {
  readonly #client: ClientBase;
  readonly #groupUsers: GroupUsers;
  /** The rows behind the parked webhooks that this transaction has read. */
  readonly #parkedRows = new Map<ParkedWebhook, PlacedParkedRow>();
  /** Parked under a placeholder, and applied under the order's user meanwhile: only the parked row is left to remove. */
  readonly #appliedBefore: ParkedWebhook[] = [];

  constructor(client: ClientBase, groupUsers: GroupUsers) {
    this.#client = client;
    this.#groupUsers = groupUsers;
  }

  /** Under its user; and under a placeholder where the same event may wait, until its attempt is named or applied there. */
  async findKeys(batch: readonly ShardedWebhook[]): Promise<Map<string, string>> {
    const found = await this.#keysUnder(batch.flatMap(keyNames));
    const keys = new Map<string, string>();
    for (const webhook of batch) {
      const known = keyNames(webhook).map((name) => found.get(keyUnder(name)));
      const digest = known.find((one) => one !== undefined);
      if (digest !== undefined) keys.set(keyOf(webhook.provider, webhook.event.providerEventId), digest);
    }
    return keys;
  }

  async #keysUnder(names: readonly KeyName[]): Promise<Map<string, string>> {
    const { rows } = await sql.find_keys<KeyRow & { user_id: string }>(this.#client, [
      unique(names.map((name) => name.userId)),
      names.map((name) => name.providerEventId),
    ]);
    return new Map(rows.map((row) => [keyUnder(nameOfRow(row, row.user_id)), row.body_sha256]));
  }

  async lockOrders(webhooks: readonly Related[]): Promise<Timed<OrderState>[]> {
    const results = await Promise.all(
      this.#groupUsers(webhooks.map((webhook) => webhook.shardUser)).map((users) => {
        const here = new Set(users);
        const ids = webhooks.filter(({ shardUser }) => here.has(shardUser)).map(({ event }) => event.orderId);
        return sql.lock_orders<LockedOrderRow>(this.#client, [users, unique(ids)]);
      }),
    );
    return results.flatMap(({ rows }) => rows.map(orderState));
  }

  /** The intake has led each event to its order already. */
  async findAttempts(): Promise<Map<string, string>> {
    return new Map();
  }

  async lockDisputes(questions: readonly DisputeQuestion[]): Promise<Timed<DisputeState>[]> {
    const wanted = new Map<string, string>();
    for (const { event, shardUser } of questions) {
      if (event.target === 'dispute') wanted.set(event.disputeId, shardUser);
    }
    const results = await Promise.all(
      this.#groupUsers([...wanted.values()]).map((users) => {
        const here = new Set(users);
        const ids = [...wanted].filter(([, user]) => here.has(user)).map(([disputeId]) => disputeId);
        return sql.lock_disputes<LockedDisputeRow>(this.#client, [users, ids]);
      }),
    );
    return results.flatMap(({ rows }) => rows.map(disputeState));
  }

  async lookAgain(unknown: readonly Related[]): Promise<SecondLook> {
    const users = usersOfNames(unknown);
    const names = [...users.keys()].sort();
    const locking = names.map((name) => sql.lock_unknown_order(this.#client, [users.get(name), name]));
    const [orders, disputes] = await Promise.all([this.lockOrders(unknown), this.lockDisputes(unknown), ...locking]);
    const known = new Set(orders.map((order) => order.orderId));
    const introducing = unknown.filter(
      (webhook) => namesAttempt(webhook.event) || (introducesOrder(webhook) && !known.has(webhook.event.orderId)),
    );
    return { attempts: new Map(), orders, disputes, parked: await this.#takeParked(introducing) };
  }

  /** What waits for orders that are introduced: under their user, and under a placeholder where the claim said so. */
  async #takeParked(introducing: readonly Related[]): Promise<ParkedWebhook[]> {
    if (introducing.length === 0) return [];
    const users = usersOfNames(introducing);
    const placeholders = introducing.filter(({ waiting }) => waiting).flatMap(({ event }) => namesOf(event));
    const { rows } = await sql.take_parked<ShardedParkedRow>(this.#client, [
      unique([...users.values(), ...placeholders.map(placeholderUser)]),
      unique(introducing.map(({ event }) => event.orderId)),
      attemptsOf(introducing),
    ]);
    const userOf = (row: ShardedParkedRow): string =>
      (users.get(row.attempt_reference ?? '') ?? users.get(row.order_id))!;
    const ownName = (row: ShardedParkedRow): KeyName => nameOfRow(row, userOf(row));
    const foreign = rows.filter((row) => row.user_id !== userOf(row));
    const applied = foreign.length === 0 ? new Map<string, string>() : await this.#keysUnder(foreign.map(ownName));
    const parked: ParkedWebhook[] = [];
    for (const row of rows) {
      const webhook = parkedWebhook(row);
      this.#parkedRows.set(webhook, { ...row, ownUser: userOf(row) });
      const appliedBefore = foreign.includes(row) && applied.has(keyUnder(ownName(row)));
      (appliedBefore ? this.#appliedBefore : parked).push(webhook);
    }
    return parked;
  }

  lockWaitingDisputes(parked: readonly ParkedWebhook[]): Promise<Timed<DisputeState>[]> {
    return this.lockDisputes(
      parked.map((webhook) => ({ event: webhook.event, shardUser: this.#parkedRow(webhook).ownUser })),
    );
  }

  /** What was parked under a placeholder takes its key along to the shard of its effect, where a repetition looks for it. */
  async insertKeys(batch: readonly ShardedWebhook[], changes: BatchChanges): Promise<void> {
    const claimed = claimingKey(batch, changes.outcomes).map((webhook) => ({
      ...keyToInsert(webhook),
      userId: webhook.shardUser,
    }));
    const moved = changes.unpark
      .filter((webhook) => isPlaceholder(this.#parkedRow(webhook).user_id))
      .map((webhook) => ({
        provider: webhook.provider,
        providerEventId: webhook.event.providerEventId,
        bodySha256: this.#parkedRow(webhook).body_sha256,
        receivedAt: webhook.receivedAt,
        userId: this.#parkedRow(webhook).ownUser,
      }));
    const keys = [...claimed, ...moved];
    if (keys.length === 0) return;
    const columns = columnsOf(keys, ['provider', 'providerEventId', 'userId', 'bodySha256', 'receivedAt']);
    await sql.insert_keys(this.#client, columns);
  }

  async insertDeliveries(batch: readonly ShardedWebhook[], outcomes: readonly Outcome[], now: Date): Promise<void> {
    const rows = deliveries(batch, outcomes, now);
    await sql.insert_deliveries(this.#client, [
      ...columnsOf(rows, ['deliveryId', 'provider', 'providerEventId']),
      ...columnsOf(batch, ['shardUser', 'bodySha256']),
      joinJsonTexts(batch.map((webhook) => webhook.body)),
      ...columnsOf(rows, ['verdict', 'reason', 'receivedAt']),
    ]);
  }

  async updateOrders(orders: readonly Timed<OrderState>[]): Promise<void> {
    await sql.update_orders(this.#client, columnsOf(orders.map(orderRow), ['userId', ...changedOrderColumns]));
  }

  async updateDisputes(disputes: readonly Timed<DisputeState>[]): Promise<void> {
    await sql.update_disputes(this.#client, columnsOf(disputes, ['userId', ...changedDisputeColumns]));
  }

  async insertParked(parked: readonly ParkedWebhook[], batch: readonly ShardedWebhook[]): Promise<void> {
    const users = usersOfKeys(batch);
    const rows = parkedRows(parked).map((row) => ({
      ...row,
      userId: users.get(keyOf(row.provider, row.providerEventId))!,
    }));
    const columns = columnsOf(rows, [
      'provider',
      'providerEventId',
      'orderId',
      'attemptReference',
      'userId',
      'event',
      'receivedAt',
    ]);
    await sql.insert_parked(this.#client, columns);
  }

  /** The claim of an attempt has stored it. */
  async insertAttempts(): Promise<void> {}

  insertQuarantined(quarantined: readonly QuarantinedWebhook[], batch: readonly ShardedWebhook[]): Promise<void> {
    const users = usersOfKeys(batch);
    const waited = new Map([...this.#parkedRows].map(([webhook, row]) => [webhook.event, row.ownUser]));
    return insertQuarantined(
      this.#client,
      quarantined,
      ({ provider, event }) => users.get(keyOf(provider, event.providerEventId)) ?? waited.get(event)!,
    );
  }

  async deleteParked(parked: readonly ParkedWebhook[]): Promise<void> {
    await Promise.all(
      [...parked, ...this.#appliedBefore].map((webhook) => {
        const { user_id, provider, provider_event_id } = this.#parkedRow(webhook);
        return sql.delete_parked(this.#client, [user_id, provider, provider_event_id]);
      }),
    );
  }

  #parkedRow(webhook: ParkedWebhook): PlacedParkedRow {
    return this.#parkedRows.get(webhook)!;
  }
}

function nameOf(webhook: ShardedWebhook): KeyName {
  return {
    userId: webhook.shardUser,
    provider: webhook.provider,
    providerEventId: webhook.event.providerEventId,
  };
}

/** The event's key under its user, and the one that it has while it waits, where it may. */
function keyNames(webhook: ShardedWebhook): KeyName[] {
  const own = nameOf(webhook);
  if (!webhook.waiting || webhook.event.target === 'none') return [own];
  return [own, { ...own, userId: placeholderUser(waitingName(webhook.event)) }];
}

function nameOfRow(row: { provider: string; provider_event_id: string }, userId: string): KeyName {
  return { userId, provider: row.provider, providerEventId: row.provider_event_id };
}

function keyUnder({ userId, provider, providerEventId }: KeyName): string {
  return `${userId}\0${keyOf(provider, providerEventId)}`;
}

/** `keyOf` each webhook → the user under whom it lies. */
function usersOfKeys(batch: readonly ShardedWebhook[]): Map<string, string> {
  return new Map(batch.map((one) => [keyOf(one.provider, one.event.providerEventId), one.shardUser]));
}

/** By which names events may wait for what these webhooks are about → the user under whom it lies. */
function usersOfNames(webhooks: readonly Related[]): Map<string, string> {
  return new Map(
    webhooks.flatMap(({ event, shardUser }) => namesOf(event).map((name): [string, string] => [name, shardUser])),
  );
}

function namesOf({ orderId, attemptReference }: Related['event']): string[] {
  return attemptReference === null ? [orderId] : [orderId, attemptReference];
}
