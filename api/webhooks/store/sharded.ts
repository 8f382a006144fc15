import type { ClientBase, Pool } from 'pg';
import { sqlState } from '../../../kernel/postgres/errors.ts';
import { statement } from '../../../kernel/postgres/statement.ts';
import { type Committed, withPipelinedTransaction } from '../../../kernel/postgres/transaction.ts';
import { holdShards } from '../../shards/hold.ts';
import type { ShardPlacement } from '../../shards/placement.ts';
import { isOrderRelated, type Loaded, type Outcome, type QuarantinedWebhook } from '../batch.ts';
import { introducesOrder, loadBatch } from './load.ts';
import { ShardedRows } from './sharded-rows.ts';
import { type ShardedWebhook, waitingName } from './sharded-webhook.ts';
import type { Decide, WebhookStore } from './webhook-store.ts';
import { writeBatch } from './write.ts';

const lockClaims = statement(new URL('./sql/sharded/lock_claims.sql', import.meta.url));

export interface ShardedWebhooksOptions {
  /** Of the node that has the batch's shards, in pipeline mode. */
  pool: Pool;
  placement: ShardPlacement;
}

/** A client has introduced the order for which these webhooks were to wait: they have an owner now. */
export class OwnerAppeared extends Error {}

/**
 * Webhooks on the node that has the shards of the batch: one local transaction, without two-phase commit. On another
 * node, or while a shard moves, the outcome is the same, and dearer.
 */
export function shardedWebhooks(options: ShardedWebhooksOptions): WebhookStore<ShardedWebhook> {
  return shardedStore(options);
}

/**
 * Webhooks that name no user and whose order has not been introduced. It runs on the coordinator, whose locks on
 * `order_owners` hold back every transaction that introduces one of these orders until what waits for it is stored.
 * A batch fails with `OwnerAppeared` where one of its orders was introduced before that.
 */
export function unclaimedWebhooks(options: ShardedWebhooksOptions): WebhookStore<ShardedWebhook> {
  return shardedStore(options, async (client, batch) => {
    const names = batch.filter((webhook) => isOrderRelated(webhook)).map(({ event }) => waitingName(event));
    const { rows } = await lockClaims<{ user_id: string | null }>(client, [names]);
    if (rows.some((row) => row.user_id !== null)) throw new OwnerAppeared('the order has an owner now');
  });
}

/** What a transaction does before it loads its batch. */
type Begin = (client: ClientBase, batch: readonly ShardedWebhook[]) => Promise<void>;

function shardedStore({ pool, placement }: ShardedWebhooksOptions, begin?: Begin): WebhookStore<ShardedWebhook> {
  const commit = (
    batch: readonly ShardedWebhook[],
    now: Date,
    decide: Decide,
    shardOf: (user: string) => string,
  ): Promise<Committed<Outcome[]>> => {
    const regular = batch.filter((webhook) => !webhook.contradictsOwner);
    return withPipelinedTransaction(
      pool,
      async (client) => {
        if (begin) await begin(client, batch);
        const rows = new ShardedRows(client, (users) => groupBy(users, shardOf));
        return { rows, loaded: await loadSharded(client, rows, regular) };
      },
      (client, { rows, loaded }) => {
        const decided = decide(regular, loaded);
        const outcomes = withContradictions(batch, regular, decided.outcomes);
        const contradictions = batch.filter((webhook) => webhook.contradictsOwner).map(quarantined);
        const changes = { ...decided, outcomes, quarantine: [...decided.quarantine, ...contradictions] };
        return { result: outcomes, statements: writeBatch(client, rows, batch, changes, now) };
      },
    );
  };
  return {
    async commit(batch, now, decide) {
      try {
        return await commit(batch, now, decide, (user) => placement.known(user)?.shardId ?? user);
      } catch (error) {
        // Shards were split since we read them: a statement for one shard went to two.
        if (sqlState(error) !== featureNotSupported) throw error;
        placement.forget();
        return commit(batch, now, decide, (user) => user);
      }
    },
  };
}

/** SQLSTATE of statements that Citus can't spread over several shards, such as FOR UPDATE. */
const featureNotSupported = '0A000';

/** `loadBatch` for shards that stay where they are until the transaction ends. */
export async function loadSharded(
  client: ClientBase,
  rows: ShardedRows,
  batch: readonly ShardedWebhook[],
): Promise<Loaded> {
  const users = batch.map((webhook) => webhook.shardUser);
  const [, loaded] = await Promise.all([holdShards(client, users), loadBatch(rows, batch)]);
  return { ...loaded, owners: claimedOwners(batch) };
}

/**
 * Orders that the batch introduces → the users who have claimed them. Other events of these orders may have been led to
 * the user whom they name, before the claim.
 */
export function claimedOwners(batch: readonly ShardedWebhook[]): Map<string, string> {
  const introducing = batch.filter((webhook) => isOrderRelated(webhook)).filter(introducesOrder);
  return new Map(introducing.map(({ event, shardUser }) => [event.orderId, shardUser]));
}

/** The outcomes of the whole batch: a webhook that names another user than its order's is not decided any further. */
function withContradictions(
  batch: readonly ShardedWebhook[],
  regular: readonly ShardedWebhook[],
  outcomes: readonly Outcome[],
): Outcome[] {
  const decided = new Map(regular.map((webhook, index) => [webhook, outcomes[index]!]));
  return batch.map((webhook) => decided.get(webhook) ?? contradiction(webhook));
}

const contradictionReason = 'user_id differs from the order';

function quarantined({ provider, event, receivedAt, bodySha256 }: ShardedWebhook): QuarantinedWebhook {
  const { target } = event;
  if (target === 'none') throw new RangeError('an event without an order contradicts none');
  return { provider, event, receivedAt, reason: contradictionReason, bodySha256 };
}

function contradiction({ event }: ShardedWebhook): Outcome {
  const orderId = event.target === 'none' ? null : event.orderId;
  const disputeId = event.target === 'dispute' ? event.disputeId : null;
  return { verdict: 'quarantined', reason: contradictionReason, orderId, disputeId, sequence: null };
}

/** Groups in the order of their names, so that two batches lock in the same order. */
function groupBy(users: readonly string[], nameOf: (user: string) => string): string[][] {
  const groups = Map.groupBy(new Set(users), nameOf);
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, members]) => members);
}
