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
  orderId: string;
  userId: string;
  status: OrderStatus;
  /** Whether this event may make the order known; any other event for an unknown order is parked. */
  introduces: boolean;
  amountMinor: bigint | null;
  currency: string | null;
  /** When the provider changed the order: what decides which of two events is newer. */
  providerUpdatedAt: Date;
  meta: Record<string, unknown>;
}

export interface DisputeWebhook extends Identified {
  target: 'dispute';
  disputeId: string;
  orderId: string;
  /** Null where the provider does not know the merchant's user: the order's user is taken. */
  userId: string | null;
  kind: 'webhook_opened' | 'webhook_updated' | 'provider_decision';
  status: DisputeStatus;
  reason: string;
  amountMinor: bigint;
  currency: string;
  providerUpdatedAt: Date;
  evidenceDueAt: Date | null;
  meta: Record<string, unknown>;
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
}
