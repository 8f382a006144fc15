import type { PaymentProviderName } from '../../kernel/contract/status.ts';
import { AppError, fieldRefusal } from '../../kernel/http/errors.ts';
import type { PaymentFact, PaymentState, RefundRow } from './rows.ts';

/** What a caller or the payment worker wants of a payment that exists. */
export type PaymentCommand =
  /** The provider is about to be asked for the first time. */
  | { type: 'begin'; provider: PaymentProviderName }
  | { type: 'wait_for_payer'; actionUrl: string }
  | { type: 'complete'; reference: string; transferId: string }
  | { type: 'fail'; reason: string }
  | { type: 'cancel' }
  /** All that is left where no amount is named. */
  | { type: 'request_refund'; refundId: string; amountMinor: bigint | undefined; reason: string | null }
  | { type: 'complete_refund'; refundId: string; reference: string; transferId: string }
  | { type: 'fail_refund'; refundId: string; reason: string };

/** The provider says something that can't be, after what was known before: an operator has to look. */
export class ContradictionError extends Error {}

/**
 * What follows from a command: nothing where it was done before.
 * @throws AppError where a caller is refused; ContradictionError
 */
export function decide(state: PaymentState, command: PaymentCommand): PaymentFact[] {
  switch (command.type) {
    case 'begin':
      return begin(state, command.provider);
    case 'wait_for_payer':
      if (state.payment.status !== 'processing' || state.payment.action_url !== null) return [];
      return [{ kind: 'action_required', data: { action_url: command.actionUrl } }];
    case 'complete':
      return complete(state, command);
    case 'fail':
      return fail(state, command.reason);
    case 'cancel':
      return cancel(state);
    case 'request_refund':
      return requestRefund(state, command);
    case 'complete_refund':
      return completeRefund(state, command);
    case 'fail_refund':
      return failRefund(state, command);
  }
}

/** A provider that was chosen stays: what was sent to it may still arrive. */
function begin({ payment }: PaymentState, provider: PaymentProviderName): PaymentFact[] {
  if (payment.status !== 'pending') return [];
  return [{ kind: 'processing', data: { charged_by: provider } }];
}

function complete({ payment }: PaymentState, command: PaymentCommand & { type: 'complete' }): PaymentFact[] {
  const { reference, transferId } = command;
  if (payment.provider_reference === reference) return [];
  if (payment.status !== 'processing') {
    throw new ContradictionError(`charged as ${reference} by the provider, but ${payment.status} here`);
  }
  return [{ kind: 'completed', data: { provider_reference: reference, transfer_id: transferId } }];
}

function fail({ payment }: PaymentState, reason: string): PaymentFact[] {
  if (payment.status === 'failed' || payment.status === 'canceled') return [];
  if (payment.status !== 'processing' && payment.status !== 'pending') {
    throw new ContradictionError(`not charged by the provider (${reason}), but ${payment.status} here`);
  }
  return [{ kind: 'failed', data: { reason } }];
}

function cancel({ payment }: PaymentState): PaymentFact[] {
  if (payment.status === 'canceled') return [];
  if (payment.status === 'pending') return [{ kind: 'canceled', data: {} }];
  throw new AppError('payment_not_cancelable', `The payment is ${payment.status}; only a pending one can be canceled.`);
}

function requestRefund({ payment }: PaymentState, command: PaymentCommand & { type: 'request_refund' }): PaymentFact[] {
  if (payment.status !== 'completed' && payment.status !== 'partially_refunded' && payment.status !== 'refunded') {
    throw new AppError(
      'payment_not_refundable',
      `The payment is ${payment.status}; only a completed one can be refunded.`,
    );
  }
  const leftMinor = payment.amount_minor - payment.refunded_minor - payment.refunding_minor;
  const amountMinor = command.amountMinor ?? leftMinor;
  if (amountMinor > leftMinor || amountMinor === 0n) {
    throw fieldRefusal('refund_exceeds_payment', 'amount_minor', `${leftMinor} of the payment can still be refunded`, {
      details: { refundable_minor: leftMinor },
    });
  }
  const { refundId, reason } = command;
  return [{ kind: 'refund_requested', data: { refund_id: refundId, amount_minor: amountMinor, reason } }];
}

function completeRefund(state: PaymentState, command: PaymentCommand & { type: 'complete_refund' }): PaymentFact[] {
  const { refund_id, status, amount_minor } = refundOf(state, command.refundId);
  if (status === 'completed') return [];
  if (status === 'failed')
    throw new ContradictionError(`refund ${refund_id} was made by the provider, but failed here`);
  const { reference, transferId } = command;
  return [
    { kind: 'refunded', data: { refund_id, amount_minor, provider_reference: reference, transfer_id: transferId } },
  ];
}

function failRefund(state: PaymentState, command: PaymentCommand & { type: 'fail_refund' }): PaymentFact[] {
  const { refund_id, status, amount_minor } = refundOf(state, command.refundId);
  if (status === 'failed') return [];
  if (status === 'completed')
    throw new ContradictionError(`refund ${refund_id} is refused by the provider, but made here`);
  return [{ kind: 'refund_failed', data: { refund_id, amount_minor, reason: command.reason } }];
}

function refundOf({ payment, refunds }: PaymentState, refundId: string): RefundRow {
  const refund = refunds.find(({ refund_id }) => refund_id === refundId);
  if (!refund) throw new Error(`payment ${payment.payment_id} has no refund ${refundId}`);
  return refund;
}
