import type { Pool } from 'pg';
import { type DisputeWebhook, guestOf, type OrderWebhook } from '../../kernel/contract/webhooks.ts';
import { createGroupCommit } from '../../kernel/group-commit.ts';
import { statement } from '../../kernel/postgres/statement.ts';
import { withTransaction } from '../../kernel/postgres/transaction.ts';

const claimOrders = statement(new URL('./sql/claim_orders.sql', import.meta.url));
const claimAttempts = statement(new URL('./sql/claim_attempts.sql', import.meta.url));
const findOwners = statement(new URL('./sql/find_owners.sql', import.meta.url));
const findDisputeOwner = statement(new URL('./sql/find_dispute_owner.sql', import.meta.url));

export interface Owner {
  /** Null while no event has introduced the order. */
  userId: string | null;
  /** Whether events may wait for the order, or for the attempt, that came before its owner was known. */
  waiting: boolean;
  /** The order that the event's attempt leads to; null where no attempt does. */
  orderId: string | null;
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
  /** By the id of an order or the name of an attempt. */
  const orders = new Map<string, Owner>();
  const disputes = new Map<string, string>();
  const resolving = createGroupCommit<OrderWebhook | DisputeWebhook, Owner>({
    apply: (events) => resolveAll(options.pool, events),
    maxBatch: options.maxBatch,
    maxQueue: options.maxQueue,
  });
  return {
    async resolve(event) {
      const name = event.attemptReference ?? event.orderId;
      const known = orders.get(name);
      if (known) return known;
      const owner = await resolving.add(event);
      // An attempt that has not been claimed may still be named for another order.
      const isSettled = event.attemptReference === null || owner.orderId !== null;
      if (owner.userId !== null && isSettled) remember(orders, name, owner);
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

/** One transaction for all: claims first, then the owners of every order and attempt that was asked for. */
async function resolveAll(pool: Pool, events: readonly (OrderWebhook | DisputeWebhook)[]): Promise<Owner[]> {
  const { orders, attempts } = claimsOf(events);
  const names = [...new Set(events.flatMap(({ orderId, attemptReference }) => [orderId, attemptReference ?? orderId]))];
  const found =
    orders.size + attempts.size === 0
      ? await readOwners(pool, names)
      : (
          await withTransaction(pool, async (client) => {
            const claiming = [claimOrders(client, [[...orders.keys()], [...orders.values()]])];
            if (attempts.size > 0) claiming.push(claimAttempts(client, [[...attempts.keys()], [...attempts.values()]]));
            const [owners] = await Promise.all([readOwners(client, names), ...claiming]);
            return owners;
          })
        ).result;
  return events.map((event) => ownerOf(event, found));
}

interface Claims {
  /** Ids of orders, and names of attempts that are waited for → their user; null says that an event waits. */
  orders: Map<string, string | null>;
  /** Names of attempts → their orders, whose user is theirs. */
  attempts: Map<string, string>;
}

function claimsOf(events: readonly (OrderWebhook | DisputeWebhook)[]): Claims {
  const orders = new Map<string, string | null>();
  const attempts = new Map<string, string>();
  for (const event of events) {
    const { orderId, attemptReference } = event;
    if (event.target === 'order' && event.introduces) {
      if (orders.get(orderId) == null) orders.set(orderId, event.userId ?? guestOf(orderId));
      if (event.payment?.namesAttempt && attemptReference !== null) attempts.set(attemptReference, orderId);
      continue;
    }
    // Where nothing leads to the order yet, the event waits under the name that will lead to it for certain.
    const name = attemptReference ?? orderId;
    if ((attemptReference !== null || event.userId === null) && !orders.has(name)) orders.set(name, null);
  }
  return { orders, attempts };
}

/** By its attempt, else by the order's own id, which events that wait for an attempt may call by another name. */
function ownerOf({ orderId, attemptReference }: OrderWebhook | DisputeWebhook, found: Map<string, Owner>): Owner {
  const attempt = attemptReference === null ? undefined : found.get(attemptReference);
  const order = found.get(orderId);
  const waiting = (attempt?.waiting ?? false) || (order?.waiting ?? false);
  if (attempt && attempt.userId !== null) return { ...attempt, waiting };
  return { userId: order?.userId ?? null, waiting, orderId: null };
}

interface OwnerRow {
  order_id: string;
  user_id: string | null;
  waiting: boolean;
  attempt_of: string | null;
}

async function readOwners(client: Parameters<typeof findOwners>[0], names: string[]): Promise<Map<string, Owner>> {
  const { rows } = await findOwners<OwnerRow>(client, [names]);
  return new Map(
    rows.map((row) => [row.order_id, { userId: row.user_id, waiting: row.waiting, orderId: row.attempt_of }]),
  );
}
