import { finalDisputeStatuses } from '../kernel/contract/status.ts';
import type { NotificationData } from './notification.ts';
import type { Template } from './templates/content.ts';
import { disputeClosed } from './templates/dispute-closed.ts';
import { disputeOpened } from './templates/dispute-opened.ts';
import { orderPaid } from './templates/order-paid.ts';
import { orderRefunded } from './templates/order-refunded.ts';
import { paymentCompleted } from './templates/payment-completed.ts';
import { paymentFailed } from './templates/payment-failed.ts';
import { paymentRefunded } from './templates/payment-refunded.ts';
import { transferCompleted } from './templates/transfer-completed.ts';

/** An event of the outbox, as far as notifications look at it. */
export interface NotifiableEvent {
  eventId: string;
  type: string;
  aggregateId: string;
  sequence: bigint;
  payload: Readonly<Record<string, unknown>>;
}

export interface Fact {
  /** Equal in all events that tell the same: of these, one notifies. */
  key: string;
  data: NotificationData;
}

export interface Subject {
  /** The name for preferences, receivers and templates. */
  type: string;
  /** `type` of the outbox's events that can tell it. */
  event: string;
  /** Undefined where this event does not tell it. */
  read(event: NotifiableEvent): Fact | undefined;
  template: Template;
}

/** Which event leads to which message: one line each, and its template. */
export const subjects: readonly Subject[] = [
  { type: 'order.paid', event: 'order.webhook_received', read: paid, template: orderPaid },
  { type: 'order.refunded', event: 'order.webhook_received', read: refunded, template: orderRefunded },
  { type: 'dispute.opened', event: 'dispute.webhook_opened', read: opened, template: disputeOpened },
  { type: 'dispute.opened', event: 'dispute.webhook_updated', read: opened, template: disputeOpened },
  { type: 'dispute.opened', event: 'dispute.provider_decision', read: opened, template: disputeOpened },
  { type: 'dispute.closed', event: 'dispute.webhook_updated', read: closed, template: disputeClosed },
  { type: 'dispute.closed', event: 'dispute.provider_decision', read: closed, template: disputeClosed },
  { type: 'payment.completed', event: 'payment.completed', read: ofPayment, template: paymentCompleted },
  { type: 'payment.failed', event: 'payment.failed', read: ofPayment, template: paymentFailed },
  { type: 'transfer.completed', event: 'transfer.transfer', read: ofTransfer, template: transferCompleted },
  { type: 'payment.refunded', event: 'payment.refunded', read: ofPayment, template: paymentRefunded },
];

/** Everything that an event tells. */
export function factsOf(event: NotifiableEvent): (Fact & { type: string })[] {
  return subjects
    .filter((subject) => subject.event === event.type)
    .flatMap((subject) => {
      const fact = subject.read(event);
      return fact ? [{ type: subject.type, ...fact }] : [];
    });
}

/** An order is paid once; later events about it say so again. */
function paid(event: NotifiableEvent): Fact | undefined {
  const after = afterOf(event);
  if (after.status !== 'success') return undefined;
  const { currency = null } = after;
  const data = { order_id: event.aggregateId, amount_minor: amountOf(after.amount_minor), currency: text(currency) };
  return { key: event.aggregateId, data };
}

/** Told once for each sum of what was given back, since the events are reports of what the provider knows in all. */
function refunded(event: NotifiableEvent): Fact | undefined {
  const after = afterOf(event);
  const refundedMinor = amountOf(after.refunded_minor);
  if (refundedMinor === null || String(refundedMinor) === '0') return undefined;
  const data = {
    order_id: event.aggregateId,
    refunded_minor: refundedMinor,
    amount_minor: amountOf(after.amount_minor),
    currency: text(after.currency),
  };
  return { key: `${event.aggregateId} ${refundedMinor}`, data };
}

/** Whichever of a dispute's events came first has made it known. */
function opened(event: NotifiableEvent): Fact | undefined {
  return event.sequence === 1n ? { key: event.aggregateId, data: disputeData(event) } : undefined;
}

/** A decision may be overruled, which is told too. */
function closed(event: NotifiableEvent): Fact | undefined {
  const status = text(afterOf(event).status);
  if (status === null || !(finalDisputeStatuses as readonly string[]).includes(status)) return undefined;
  return { key: `${event.aggregateId} ${status}`, data: { ...disputeData(event), status } };
}

/** Each event tells something of its own: two equal refunds of a payment are two. */
function ofPayment(event: NotifiableEvent): Fact {
  const after = afterOf(event);
  const data = {
    payment_id: event.aggregateId,
    amount_minor: amountOf(after.amount_minor),
    refunded_minor: amountOf(after.refunded_minor),
    currency: text(after.currency),
  };
  return { key: event.eventId, data };
}

/** Committed when it is told: a transfer has one event. */
function ofTransfer({ aggregateId, payload }: NotifiableEvent): Fact {
  const data = {
    transfer_id: aggregateId,
    from_account_id: text(payload.from_account_id),
    to_account_id: text(payload.to_account_id),
    amount_minor: amountOf(payload.amount_minor),
    currency: text(payload.currency),
  };
  return { key: aggregateId, data };
}

function disputeData(event: NotifiableEvent): NotificationData {
  const after = afterOf(event);
  return {
    dispute_id: event.aggregateId,
    order_id: text(event.payload.order_id),
    amount_minor: amountOf(after.amount_minor),
    currency: text(after.currency),
    reason: text(after.reason),
    evidence_due_at: text(event.payload.evidence_due_at),
  };
}

function afterOf({ payload }: NotifiableEvent): Record<string, unknown> {
  return typeof payload.after === 'object' && payload.after !== null ? (payload.after as Record<string, unknown>) : {};
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** Minor units: an integer in the safe range, or digits beyond it. */
function amountOf(value: unknown): number | string | null {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  return typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? value : null;
}
