import type { DisputeWebhook, OrderWebhook, ReceivedWebhook } from '../../../kernel/contract/webhooks.ts';

/** A webhook whose shard is known. */
export interface ShardedWebhook extends ReceivedWebhook {
  /** The user_id under which its key, its delivery and what waits for its order are stored. */
  shardUser: string;
  /** Whether events that name no user may wait for its order. */
  waiting: boolean;
  /** Whether its order belongs to another user than the one that it names. */
  contradictsOwner: boolean;
}

/** What stands for the user of events that name none, while their order is unknown. No user_id begins like this. */
export function placeholderUser(id: string): string {
  return `#${id}`;
}

/** The name under which an event waits: of the attempt where it has one, since that leads to the order for certain. */
export function waitingName({ orderId, attemptReference }: OrderWebhook | DisputeWebhook): string {
  return attemptReference ?? orderId;
}

export function isPlaceholder(userId: string): boolean {
  return userId.startsWith('#');
}
