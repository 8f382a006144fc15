import type { Pool } from 'pg';
import { sqlState } from '../../../kernel/postgres/errors.ts';
import { statement } from '../../../kernel/postgres/statement.ts';
import { type Committed, withPipelinedTransaction } from '../../../kernel/postgres/transaction.ts';
import type { ShardPlacement } from '../../shards/placement.ts';
import { type ApplyResult, applySplitting } from '../apply.ts';
import { decideBatch, type Outcome } from '../decide.ts';
import type { ShardedWebhook } from './item.ts';
import { loadSharded } from './load.ts';
import { writeSharded } from './write.ts';

const lockOwners = statement(new URL('./sql/lock_owners.sql', import.meta.url));

export interface ShardedDependencies {
  /** Of the node that has the batch's shards, in pipeline mode. */
  pool: Pool;
  placement: ShardPlacement;
  now: () => Date;
}

/**
 * As `applyWebhooks`, on the node that has the shards of the batch: one local transaction, without two-phase commit. On
 * another node, or while a shard moves, the outcome is the same, and dearer.
 */
export function applySharded(
  dependencies: ShardedDependencies,
  batch: readonly ShardedWebhook[],
): Promise<ApplyResult[]> {
  return applySplitting(batch, (part) => applyPart(dependencies, part, []));
}

/** Somebody has introduced the order for which these webhooks were to wait: they have an owner now. */
export class OwnerAppeared extends Error {}

/**
 * Stores webhooks that name no user and whose order nobody has introduced. It runs on the coordinator, whose locks on
 * `order_owners` hold back whoever introduces one of these orders until what waits for it is stored.
 * Results carry `OwnerAppeared` where the order was introduced before that.
 */
export function applyNobodys(
  dependencies: ShardedDependencies,
  batch: readonly ShardedWebhook[],
): Promise<ApplyResult[]> {
  const orderIds = batch.flatMap(({ event }) => (event.target === 'none' ? [] : [event.orderId]));
  return applySplitting(batch, (part) => applyPart(dependencies, part, orderIds));
}

async function applyPart(
  dependencies: ShardedDependencies,
  part: readonly ShardedWebhook[],
  unowned: readonly string[],
): Promise<Committed<Outcome[]>> {
  const { placement } = dependencies;
  try {
    return await applyOnce(dependencies, part, unowned, (user) => placement.known(user)?.shardId ?? user);
  } catch (error) {
    // Shards were split since we read them: a statement for one shard went to two.
    if (sqlState(error) !== featureNotSupported) throw error;
    placement.forget();
    return applyOnce(dependencies, part, unowned, (user) => user);
  }
}

function applyOnce(
  { pool, now }: ShardedDependencies,
  part: readonly ShardedWebhook[],
  unowned: readonly string[],
  shardOf: (user: string) => string,
): Promise<Committed<Outcome[]>> {
  const at = now();
  const regular = part.filter((webhook) => !webhook.contradictsOwner);
  return withPipelinedTransaction(
    pool,
    async (client) => {
      if (unowned.length > 0) {
        const { rows } = await lockOwners<{ user_id: string | null }>(client, [unowned]);
        if (rows.some((row) => row.user_id !== null)) throw new OwnerAppeared('the order has an owner now');
      }
      return loadSharded(client, regular, (users) => groupBy(users, shardOf));
    },
    (client, loaded) => {
      const changes = decideBatch(regular, loaded, at);
      const decided = new Map(regular.map((webhook, index) => [webhook, changes.outcomes[index]!]));
      const outcomes = part.map((webhook) => decided.get(webhook) ?? contradiction(webhook));
      return { result: outcomes, statements: writeSharded(client, part, { ...changes, outcomes }, loaded, at) };
    },
  );
}

/** SQLSTATE of statements that Citus can't spread over several shards, such as FOR UPDATE. */
const featureNotSupported = '0A000';

function contradiction({ event }: ShardedWebhook): Outcome {
  const orderId = event.target === 'none' ? null : event.orderId;
  const disputeId = event.target === 'dispute' ? event.disputeId : null;
  return { verdict: 'quarantined', reason: 'user_id differs from the order', orderId, disputeId, sequence: null };
}

/** Groups in the order of their names, so that two batches lock in the same order. */
function groupBy(users: readonly string[], nameOf: (user: string) => string): string[][] {
  const groups = Map.groupBy(new Set(users), nameOf);
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, members]) => members);
}
