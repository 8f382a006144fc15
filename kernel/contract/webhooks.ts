import { hash } from 'node:crypto';
import { derivedIdentifier } from './identifiers.ts';
import type { PaymentReport } from './payment.ts';
import type { DisputeStatus, OrderStatus } from './status.ts';

/**
 * What every provider's webhook is mapped to, and the only thing that `applyWebhooks` and the ingest gateway know.
 * Timestamps are the provider's.
 */
export type ContractEvent = OrderWebhook | DisputeWebhook | UnmappedWebhook;

interface Identified {
  /** Unique per provider; together with the provider's name it is the dedupe key. */
  providerEventId: string;
  /**
   * Text that is equal for two deliveries of the same event and differs when the provider says something else under
   * the same id. Null where the raw body serves, as with providers that repeat a delivery byte for byte.
   */
  fingerprint: string | null;
}

export interface OrderWebhook extends Identified {
  target: 'order';
  /** The order that the event names. Where the provider only names an attempt, `attemptReference` leads to the order. */
  orderId: string;
  /** Null where the event does not say whose the order is; that is unknown and not different. */
  userId: string | null;
  /** By which provider and reference the attempt is known, where the event names one; see `attemptReference()`. */
  attemptReference: string | null;
  status: OrderStatus;
  /** Whether this event may make the order known; any other event for an unknown order is parked. */
  introduces: boolean;
  amountMinor: bigint | null;
  currency: string | null;
  /** When the provider changed the order: what decides which of two events is newer. */
  providerUpdatedAt: Date;
  /** Null for providers that say only what the order's status is. Else the order's status and sums follow from it. */
  payment: PaymentReport | null;
  meta: Record<string, unknown>;
}

export interface DisputeWebhook extends Identified {
  target: 'dispute';
  disputeId: string;
  orderId: string;
  /** Null where the provider does not know the merchant's user: the order's user is taken. */
  userId: string | null;
  /** As of an order's webhook: the attempt whose money is disputed. */
  attemptReference: string | null;
  kind: 'webhook_opened' | 'webhook_updated' | 'provider_decision';
  status: DisputeStatus;
  reason: string;
  amountMinor: bigint;
  currency: string;
  providerUpdatedAt: Date;
  /** Whether the provider has taken the disputed money from the merchant, or has given it back; null where not said. */
  funds: 'withdrawn' | 'reinstated' | null;
  /** Whether this decision counts although an earlier one has ended the dispute, as of a second chargeback. */
  overrules: boolean;
  evidenceDueAt: Date | null;
  meta: Record<string, unknown>;
}

/** Whose an order is while no event has said it: a user of its own, so that the order has a place to lie. */
export function guestOf(orderId: string): string {
  return derivedIdentifier(guestPrefix, orderId);
}

export function isGuest(userId: string): boolean {
  return userId.startsWith(guestPrefix);
}

const guestPrefix = 'guest:';

/**
 * The name of a provider's attempt, of at most 64 characters. No order has such an id, since identifiers begin with a
 * letter or a digit.
 */
export function attemptReference(provider: string, reference: string): string {
  const name = `@${provider}:${reference}`;
  return name.length <= 64 ? name : `@${provider}:${hash('sha256', reference, 'hex').slice(0, 32)}`;
}

export interface UnmappedWebhook extends Identified {
  target: 'none';
  /** The provider's name of the event's type. */
  type: string;
}

/** A verified and mapped webhook on its way to `applyWebhooks`. */
export interface ReceivedWebhook {
  provider: string;
  event: ContractEvent;
  /**
   * SHA-256 over the event's fingerprint, or over the raw body where it has none, before card data was masked; 64
   * hexadecimal digits.
   */
  bodySha256: string;
  /** The body as it was signed, but for card data, which is masked. */
  body: string;
  receivedAt: Date;
  requestId: string;
  /** Whether an operator has decided that it counts although it contradicts what is known. */
  isReleased: boolean;
}
