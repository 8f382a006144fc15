import type { PaymentEvent, PaymentRow, PaymentState, RefundRow } from './rows.ts';

/**
 * What a payment is after one more event: the only place that says so. The rows of the database are the outcome of this
 * function, and the audit compares them with it.
 * @throws Error where the event can't follow.
 */
export function fold(state: PaymentState | undefined, event: PaymentEvent): PaymentState {
  if (event.sequence !== (state?.payment.sequence ?? 0n) + 1n) {
    throw new Error(`event ${event.sequence} of payment ${event.payment_id} does not follow`);
  }
  if (event.kind === 'created') return { payment: newPayment(event), refunds: [] };
  if (!state) throw new Error(`payment ${event.payment_id} does not begin with its creation`);
  const payment = {
    ...state.payment,
    ...changedBy(state.payment, event),
    sequence: event.sequence,
    updated_at: event.created_at,
  };
  return { payment, refunds: changedRefunds(state, event) };
}

/** @returns undefined for no events. */
export function foldAll(events: readonly PaymentEvent[]): PaymentState | undefined {
  return events.reduce<PaymentState | undefined>(fold, undefined);
}

function newPayment({ payment_id, user_id, data, created_at }: PaymentEvent & { kind: 'created' }): PaymentRow {
  return {
    payment_id,
    user_id,
    account_id: data.account_id,
    amount_minor: BigInt(data.amount_minor),
    currency: data.currency,
    provider: data.provider,
    failover: data.failover,
    status: 'pending',
    hold_id: data.hold_id,
    charged_by: null,
    action_url: null,
    provider_reference: null,
    failure_reason: null,
    refunded_minor: 0n,
    refunding_minor: 0n,
    reference: data.reference,
    sequence: 1n,
    expires_at: new Date(data.expires_at),
    created_at,
    updated_at: created_at,
  };
}

function changedBy(payment: PaymentRow, event: Exclude<PaymentEvent, { kind: 'created' }>): Partial<PaymentRow> {
  switch (event.kind) {
    case 'processing':
      return { status: 'processing', charged_by: event.data.charged_by };
    case 'action_required':
      return { action_url: event.data.action_url };
    case 'completed':
      return { status: 'completed', action_url: null, provider_reference: event.data.provider_reference };
    case 'failed':
      return { status: 'failed', action_url: null, failure_reason: event.data.reason };
    case 'canceled':
      return { status: 'canceled' };
    case 'refund_requested':
      return { refunding_minor: payment.refunding_minor + BigInt(event.data.amount_minor) };
    case 'refunded': {
      const amount = BigInt(event.data.amount_minor);
      const refunded_minor = payment.refunded_minor + amount;
      return {
        status: refunded_minor === payment.amount_minor ? 'refunded' : 'partially_refunded',
        refunded_minor,
        refunding_minor: payment.refunding_minor - amount,
      };
    }
    case 'refund_failed':
      return { refunding_minor: payment.refunding_minor - BigInt(event.data.amount_minor) };
  }
}

function changedRefunds({ payment, refunds }: PaymentState, event: PaymentEvent): readonly RefundRow[] {
  if (event.kind === 'refund_requested') return [...refunds, newRefund(payment, event)];
  if (event.kind !== 'refunded' && event.kind !== 'refund_failed') return refunds;
  return refunds.map((refund): RefundRow => {
    if (refund.refund_id !== event.data.refund_id) return refund;
    if (event.kind === 'refund_failed') {
      return { ...refund, status: 'failed', failure_reason: event.data.reason, updated_at: event.created_at };
    }
    const { provider_reference } = event.data;
    return { ...refund, status: 'completed', provider_reference, updated_at: event.created_at };
  });
}

function newRefund(payment: PaymentRow, event: PaymentEvent & { kind: 'refund_requested' }): RefundRow {
  return {
    refund_id: event.data.refund_id,
    payment_id: payment.payment_id,
    amount_minor: BigInt(event.data.amount_minor),
    currency: payment.currency,
    status: 'pending',
    provider_reference: null,
    failure_reason: null,
    reason: event.data.reason,
    created_at: event.created_at,
    updated_at: event.created_at,
  };
}
