import { fromDigits } from '../../kernel/contract/digits.ts';
import type { PaymentReport } from '../../kernel/contract/payment.ts';
import type { DisputeWebhook, OrderWebhook } from '../../kernel/contract/webhooks.ts';

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
  return JSON.stringify(event, (_key, value) => (typeof value === 'bigint' ? value.toString() : value));
}

/** What a parked event has in JSON: `Part` with bigints as digits. */
type Written<Part, Bigint extends keyof Part> = Omit<Part, Bigint> & Record<Bigint, string | null>;

/** The event as it was parked; `stored` is what the jsonb column holds, perhaps written by a former version. */
export function parseParked(stored: Record<string, unknown>): OrderWebhook | DisputeWebhook {
  const common = {
    attemptReference: null,
    ...stored,
    amountMinor: fromDigits(stored.amountMinor as string | null),
    providerUpdatedAt: new Date(stored.providerUpdatedAt as string),
  };
  if (stored.target === 'dispute') {
    const { evidenceDueAt } = stored;
    const due = evidenceDueAt == null ? null : new Date(evidenceDueAt as string);
    return { funds: null, overrules: false, ...common, evidenceDueAt: due } as unknown as DisputeWebhook;
  }
  return { ...common, payment: parsePayment(stored.payment) } as unknown as OrderWebhook;
}

function parsePayment(stored: unknown): PaymentReport | null {
  if (stored == null) return null;
  const report = stored as Written<PaymentReport, 'amountMinor' | 'capturedMinor' | 'refundedMinor'>;
  return {
    ...report,
    amountMinor: fromDigits(report.amountMinor),
    capturedMinor: fromDigits(report.capturedMinor),
    refundedMinor: fromDigits(report.refundedMinor),
    operations: report.operations.map((operation) => ({
      ...operation,
      amountMinor: fromDigits(operation.amountMinor as unknown as string | null),
    })),
  };
}

/** Parked webhooks are applied in the order in which the provider made them. */
export function byProviderTime(a: ParkedWebhook, b: ParkedWebhook): number {
  return a.event.providerUpdatedAt.getTime() - b.event.providerUpdatedAt.getTime();
}
