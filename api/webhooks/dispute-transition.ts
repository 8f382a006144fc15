import { type DisputeStatus, finalDisputeStatuses } from '../../kernel/contract/status.ts';
import type { DisputeWebhook } from '../../kernel/contract/webhooks.ts';
import type { DisputeState, OrderState, Transition } from './state.ts';

/**
 * What a dispute webhook does to its dispute. Pure. Every dispute event carries the whole dispute, so whichever comes
 * first creates it; only the order has to be known already.
 */
export function disputeTransition(
  order: OrderState | undefined,
  dispute: DisputeState | undefined,
  event: DisputeWebhook,
  provider: string,
): Transition<DisputeState> {
  if (!order) return { verdict: 'parked' };
  const mismatch = findMismatch(order, dispute, event);
  if (mismatch) return { verdict: 'quarantined', reason: mismatch };
  if (!dispute) return { verdict: 'applied', next: newDispute(order, event, provider) };
  const sequence = dispute.sequence + 1n;
  // The opening that comes late still tells when the dispute began.
  const openedAt =
    event.kind === 'webhook_opened' ? earlier(dispute.openedAt, event.providerUpdatedAt) : dispute.openedAt;
  if (isFinal(dispute.status) || event.providerUpdatedAt < dispute.providerUpdatedAt) {
    return { verdict: 'stale', next: { ...dispute, openedAt, sequence } };
  }
  return {
    verdict: 'applied',
    next: {
      ...dispute,
      status: event.status === 'open' ? dispute.status : event.status,
      reason: event.reason,
      sequence,
      provider,
      providerUpdatedAt: event.providerUpdatedAt,
      openedAt,
      evidenceDueAt: event.evidenceDueAt ?? dispute.evidenceDueAt,
      closedAt: isFinal(event.status) ? event.providerUpdatedAt : null,
    },
  };
}

function newDispute(order: OrderState, event: DisputeWebhook, provider: string): DisputeState {
  return {
    disputeId: event.disputeId,
    orderId: order.orderId,
    userId: order.userId,
    status: event.status,
    reason: event.reason,
    amountMinor: event.amountMinor,
    currency: event.currency,
    sequence: 1n,
    provider,
    providerUpdatedAt: event.providerUpdatedAt,
    openedAt: event.providerUpdatedAt,
    evidenceDueAt: event.evidenceDueAt,
    closedAt: isFinal(event.status) ? event.providerUpdatedAt : null,
  };
}

function findMismatch(order: OrderState, dispute: DisputeState | undefined, event: DisputeWebhook): string | undefined {
  if (event.userId !== null && event.userId !== order.userId) return 'user_id differs from the order';
  if (order.currency !== null && event.currency !== order.currency) return 'currency differs from the order';
  if (order.amountMinor !== null && event.amountMinor > order.amountMinor) return 'amount_minor exceeds the order';
  if (!dispute) return undefined;
  if (dispute.orderId !== event.orderId) return 'order_id differs from the dispute';
  if (dispute.currency !== event.currency) return 'currency differs from the dispute';
  return dispute.amountMinor === event.amountMinor ? undefined : 'amount_minor differs from the dispute';
}

function isFinal(status: DisputeStatus): boolean {
  return finalDisputeStatuses.includes(status);
}

function earlier(a: Date, b: Date): Date {
  return a < b ? a : b;
}
