import type { Pool } from 'pg';
import type { DisputeWebhook, OrderWebhook } from '../../kernel/contract/webhooks.ts';
import { createGroupCommit } from '../../kernel/group-commit.ts';
import { statement } from '../../kernel/postgres/statement.ts';
import { withTransaction } from '../../kernel/postgres/transaction.ts';

const claimOrders = statement(new URL('./sql/claim_orders.sql', import.meta.url));
const findOwners = statement(new URL('./sql/find_owners.sql', import.meta.url));
const findDisputeOwner = statement(new URL('./sql/find_dispute_owner.sql', import.meta.url));

export interface Owner {
  /** Null while no event has introduced the order. */
  userId: string | null;
  /** Whether events may wait for the order that came before its owner was known. */
  waiting: boolean;
}

/** Says whose an order or a dispute is: without the user, no shard can be found. */
export interface Owners {
  /**
   * The owner of the event's order. An event that introduces it claims it, durably before this resolves: of two users
   * who claim one id, one gets it. An event without a user leaves a note that it waits.
   */
  resolve(event: OrderWebhook | DisputeWebhook): Promise<Owner>;
  /** Null where the order is unknown. */
  ofOrder(orderId: string): Promise<string | null>;
  /** The users, each once, whose orders these are; unknown orders have none. */
  ofOrders(orderIds: readonly string[]): Promise<string[]>;
  /** Asks every shard. Null where the dispute is unknown. */
  ofDispute(disputeId: string): Promise<string | null>;
}

/** Owners never change, so that a remembered one is as good as a read one. Oldest out first. */
const remembered = 200_000;

export interface OwnersOptions {
  /** Of the coordinator, in pipeline mode: claims and questions of webhooks. */
  pool: Pool;
  /** Of the coordinator, for everything else. */
  reads: Pool;
  maxBatch: number;
  maxQueue: number;
}

export function createOwners(options: OwnersOptions): Owners {
  const orders = new Map<string, Owner>();
  const disputes = new Map<string, string>();
  const resolving = createGroupCommit<OrderWebhook | DisputeWebhook, Owner>({
    apply: (events) => resolveAll(options.pool, events),
    maxBatch: options.maxBatch,
    maxQueue: options.maxQueue,
  });
  return {
    async resolve(event) {
      const known = orders.get(event.orderId);
      if (known) return known;
      const owner = await resolving.add(event);
      if (owner.userId !== null) remember(orders, event.orderId, owner);
      return owner;
    },
    async ofOrder(orderId) {
      const known = orders.get(orderId);
      if (known) return known.userId;
      const owner = (await readOwners(options.reads, [orderId])).get(orderId);
      if (owner?.userId == null) return null;
      remember(orders, orderId, owner);
      return owner.userId;
    },
    async ofOrders(orderIds) {
      const unknown = orderIds.filter((orderId) => !orders.has(orderId));
      const read = unknown.length === 0 ? new Map<string, Owner>() : await readOwners(options.reads, unknown);
      for (const [orderId, owner] of read) if (owner.userId !== null) remember(orders, orderId, owner);
      const users = orderIds.map((orderId) => (orders.get(orderId) ?? read.get(orderId))?.userId);
      return [...new Set(users.filter((userId) => userId != null))];
    },
    async ofDispute(disputeId) {
      const known = disputes.get(disputeId);
      if (known !== undefined) return known;
      const { rows } = await findDisputeOwner<{ user_id: string }>(options.reads, [disputeId]);
      if (!rows[0]) return null;
      remember(disputes, disputeId, rows[0].user_id);
      return rows[0].user_id;
    },
  };
}

function remember<Value>(memory: Map<string, Value>, id: string, value: Value): void {
  if (memory.size >= remembered) memory.delete(memory.keys().next().value!);
  memory.set(id, value);
}

/** One transaction for all: claims first, then the owners of every order that was asked for. */
async function resolveAll(pool: Pool, events: readonly (OrderWebhook | DisputeWebhook)[]): Promise<Owner[]> {
  const claims = new Map<string, string | null>();
  for (const event of events) {
    const introduces = event.target === 'order' && event.introduces;
    if (introduces && claims.get(event.orderId) == null) claims.set(event.orderId, event.userId);
    else if (event.userId === null && !claims.has(event.orderId)) claims.set(event.orderId, null);
  }
  const orderIds = [...new Set(events.map((event) => event.orderId))];
  const found =
    claims.size === 0
      ? await readOwners(pool, orderIds)
      : (
          await withTransaction(pool, async (client) => {
            const [, owners] = await Promise.all([
              claimOrders(client, [[...claims.keys()], [...claims.values()]]),
              readOwners(client, orderIds),
            ]);
            return owners;
          })
        ).result;
  return events.map((event) => found.get(event.orderId) ?? { userId: null, waiting: false });
}

async function readOwners(client: Parameters<typeof findOwners>[0], orderIds: string[]): Promise<Map<string, Owner>> {
  const { rows } = await findOwners<{ order_id: string; user_id: string | null; waiting: boolean }>(client, [orderIds]);
  return new Map(rows.map((row) => [row.order_id, { userId: row.user_id, waiting: row.waiting }]));
}
