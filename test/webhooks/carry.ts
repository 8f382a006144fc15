import { type BatchChanges, keyOf, type Loaded } from '../../api/webhooks/batch.ts';
import type { ReceivedWebhook } from '../../kernel/contract/webhooks.ts';

/** What the first transaction of all loads. */
export const nothing: Loaded = {
  keys: new Map(),
  orders: new Map(),
  disputes: new Map(),
  owners: new Map(),
  attempts: new Map(),
  parked: [],
};

/** What the next transaction would load, as the database would carry it: what this one had and has changed. */
export function carry(loaded: Loaded, batch: readonly ReceivedWebhook[], changes: BatchChanges): Loaded {
  const claimed = batch
    .filter((_webhook, index) => !['duplicate', 'quarantined'].includes(changes.outcomes[index]!.verdict))
    .map((webhook) => [keyOf(webhook.provider, webhook.event.providerEventId), webhook.bodySha256] as const);
  const attempts = changes.newAttempts.map(({ reference, orderId }) => [reference, orderId] as const);
  const waiting = loaded.parked.filter((webhook) => !changes.unpark.includes(webhook));
  return {
    keys: new Map([...loaded.keys, ...claimed]),
    orders: new Map([...loaded.orders, ...changes.newOrders, ...changes.changedOrders]),
    disputes: new Map([...loaded.disputes, ...changes.newDisputes, ...changes.changedDisputes]),
    owners: new Map(),
    attempts: new Map([...loaded.attempts, ...attempts]),
    parked: [...waiting, ...changes.park.map((webhook) => ({ ...webhook, stored: true }))],
  };
}
