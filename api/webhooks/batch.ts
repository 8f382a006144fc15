import type { Verdict } from '../../kernel/contract/status.ts';
import type { DisputeWebhook, OrderWebhook, ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import type { DomainEvent } from '../journal/rows.ts';
import type { ParkedWebhook } from './parked.ts';
import type { DisputeState, OrderState, Timed } from './state.ts';

/** A webhook of an order or of one of its disputes. */
export type OrderRelated<Webhook extends ReceivedWebhook> = Webhook & { event: OrderWebhook | DisputeWebhook };

/** What a batch needs to know before it is decided. The rows are locked until the transaction ends. */
export interface Loaded {
  /** Dedupe keys that exist already → SHA-256 of the body that had the effect. */
  readonly keys: ReadonlyMap<string, string>;
  readonly orders: ReadonlyMap<string, Timed<OrderState>>;
  readonly disputes: ReadonlyMap<string, Timed<DisputeState>>;
  /** Whose the orders are by the claim of their ids, where rows lie in shards. */
  readonly owners: ReadonlyMap<string, string>;
  /** Names of attempts (see `attemptReference`) → the order that they are to pay. */
  readonly attempts: ReadonlyMap<string, string>;
  /** Stored webhooks that wait for an order or an attempt that the batch may introduce. */
  readonly parked: readonly ParkedWebhook[];
}

/** An attempt that the batch has made known, so that later events which name nothing else find its order. */
export interface NewAttempt {
  reference: string;
  orderId: string;
}

/** A webhook that contradicts what is known. It waits for an operator, who looks at it and applies or drops it. */
export interface QuarantinedWebhook {
  provider: string;
  event: OrderWebhook | DisputeWebhook;
  receivedAt: Date;
  reason: string;
  /** Of the body; null for one that has waited for its order before. */
  bodySha256: string | null;
}

/** What became of one webhook of the batch. */
export interface Outcome {
  verdict: Verdict;
  /** Why, for `quarantined`. */
  reason: string | null;
  orderId: string | null;
  disputeId: string | null;
  /** The event's number within its aggregate; null where the webhook had no effect. */
  sequence: bigint | null;
}

/** Everything that one transaction writes. */
export interface BatchChanges {
  outcomes: Outcome[];
  newOrders: Map<string, Timed<OrderState>>;
  changedOrders: Map<string, Timed<OrderState>>;
  newDisputes: Map<string, Timed<DisputeState>>;
  changedDisputes: Map<string, Timed<DisputeState>>;
  newAttempts: NewAttempt[];
  events: DomainEvent[];
  quarantine: QuarantinedWebhook[];
  park: ParkedWebhook[];
  /** Of `Loaded.parked`, the same objects: they have had their effect. */
  unpark: ParkedWebhook[];
}

/** Names one provider event; NUL cannot occur in either part. */
export function keyOf(provider: string, providerEventId: string): string {
  return `${provider}\0${providerEventId}`;
}

export function isOrderRelated<Webhook extends ReceivedWebhook>(webhook: Webhook): webhook is OrderRelated<Webhook> {
  return webhook.event.target !== 'none';
}
