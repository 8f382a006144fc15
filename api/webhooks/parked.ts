import type { DisputeWebhook, OrderWebhook } from '../../kernel/contract/webhooks.ts';
import { toJson } from '../../kernel/http/envelope.ts';

/** A webhook that waits for its order, in the batch or in `parked_webhooks`. */
export interface ParkedWebhook {
  provider: string;
  event: OrderWebhook | DisputeWebhook;
  receivedAt: Date;
  /** Whether it is stored in `parked_webhooks`, so that it has to leave there once it is applied. */
  stored: boolean;
}

/** The mapped event as JSON text: dates as RFC 3339 and amounts as digits, which `parseParked` reads back. */
export function serializeParked(event: OrderWebhook | DisputeWebhook): string {
  return toJson({ ...event, amountMinor: event.amountMinor === null ? null : event.amountMinor.toString() });
}

/** The event as it was parked; `stored` is what the jsonb column holds. */
export function parseParked(stored: Record<string, unknown>): OrderWebhook | DisputeWebhook {
  const date = (value: unknown): Date | null => (value == null ? null : new Date(value as string));
  const amount = stored.amountMinor;
  return {
    ...stored,
    amountMinor: amount === null ? null : BigInt(amount as string),
    providerUpdatedAt: date(stored.providerUpdatedAt),
    ...(stored.target === 'dispute' && { evidenceDueAt: date(stored.evidenceDueAt) }),
  } as unknown as OrderWebhook | DisputeWebhook;
}

/** Parked webhooks are applied in the order in which the provider made them. */
export function byProviderTime(a: ParkedWebhook, b: ParkedWebhook): number {
  return a.event.providerUpdatedAt.getTime() - b.event.providerUpdatedAt.getTime();
}
