import type { OutboxRow } from '../../kernel/outbox/append.ts';
import type { PaymentEvent, PaymentRow } from './rows.ts';

/** What leaves for the outside of an event. `after` is the payment as the event left it. */
export function outboxRow(event: PaymentEvent, after: PaymentRow, requestId: string | undefined): OutboxRow {
  const { account_id, amount_minor, currency, status, refunded_minor } = after;
  return {
    eventId: event.event_id,
    aggregateType: 'payment',
    aggregateId: event.payment_id,
    userId: event.user_id,
    sequence: event.sequence,
    eventType: `payment.${event.kind}`,
    payload: {
      amount_minor,
      currency,
      ...event.data,
      kind: event.kind,
      payment_id: event.payment_id,
      account_id,
      provider: after.charged_by ?? after.provider,
      status,
      after: { status, amount_minor, currency, refunded_minor },
    },
    headers: requestId === undefined ? {} : { request_id: requestId },
    createdAt: event.created_at,
  };
}
