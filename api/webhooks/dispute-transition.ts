import { type DisputeStatus, finalDisputeStatuses } from '../../kernel/contract/status.ts';
import type { DisputeWebhook } from '../../kernel/contract/webhooks.ts';
import { type Arrival, contradictsUser } from './order-transition.ts';
import type { DisputeState, OrderState, Transition } from './state.ts';

/**
 * What a dispute webhook does to its dispute. Pure. Every dispute event carries the whole dispute, so whichever comes
 * first creates it; only the order has to be known already. The dispute may be about more or less than the order's
 * amount, and about another amount at a later stage: the newest event counts.
 */
export function disputeTransition(
  order: OrderState | undefined,
  dispute: DisputeState | undefined,
  event: DisputeWebhook,
  arrival: Arrival,
): Transition<DisputeState> {
  if (!order) return { verdict: 'parked' };
  const mismatch = arrival.isReleased ? undefined : findMismatch(order, dispute, event);
  if (mismatch) return { verdict: 'quarantined', reason: mismatch };
  if (!dispute) return { verdict: 'applied', next: newDispute(order, event, arrival) };
  const { at } = arrival;
  const base = { ...dispute, ...movedFunds(dispute, event, at), sequence: dispute.sequence + 1n };
  // The opening that comes late still tells when the dispute began.
  if (event.kind === 'webhook_opened' && at < dispute.openedAt) base.openedAt = at;
  if (!decides(dispute, event, at)) {
    const hasMoved = base.fundsMovedAt !== dispute.fundsMovedAt;
    return { verdict: hasMoved ? 'applied' : 'stale', next: base };
  }
  return {
    verdict: 'applied',
    next: {
      ...base,
      status: event.status === 'open' ? dispute.status : event.status,
      reason: event.reason,
      amountMinor: event.amountMinor,
      currency: event.currency,
      provider: arrival.provider,
      providerUpdatedAt: at,
      evidenceDueAt: event.evidenceDueAt ?? dispute.evidenceDueAt,
      closedAt: isFinal(event.status) ? at : null,
    },
  };
}

function newDispute(order: OrderState, event: DisputeWebhook, { provider, at }: Arrival): DisputeState {
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
    providerUpdatedAt: at,
    chargedBackMinor: event.funds === 'withdrawn' ? event.amountMinor : 0n,
    fundsMovedAt: event.funds === null ? null : at,
    openedAt: at,
    evidenceDueAt: event.evidenceDueAt,
    closedAt: isFinal(event.status) ? at : null,
  };
}

/** Money moves on its own clock: it may move after the dispute was decided. Of one instant, giving back comes last. */
function movedFunds(
  dispute: DisputeState,
  { funds, amountMinor }: DisputeWebhook,
  at: Date,
): Pick<DisputeState, 'chargedBackMinor' | 'fundsMovedAt'> {
  const { chargedBackMinor, fundsMovedAt } = dispute;
  const isLate = fundsMovedAt !== null && at < fundsMovedAt;
  const isBehindReturn = fundsMovedAt?.getTime() === at.getTime() && chargedBackMinor === 0n;
  if (funds === null || isLate || (funds === 'withdrawn' && isBehindReturn)) return { chargedBackMinor, fundsMovedAt };
  return { chargedBackMinor: funds === 'withdrawn' ? amountMinor : 0n, fundsMovedAt: at };
}

function findMismatch(order: OrderState, dispute: DisputeState | undefined, event: DisputeWebhook): string | undefined {
  if (contradictsUser(order, event.userId)) return 'user_id differs from the order';
  if (order.currency !== null && event.currency !== order.currency) return 'currency differs from the order';
  if (!dispute) return undefined;
  if (dispute.orderId !== order.orderId) return 'order_id differs from the dispute';
  return dispute.currency === event.currency ? undefined : 'currency differs from the dispute';
}

const rank: Readonly<Record<DisputeStatus, number>> = {
  open: 0,
  under_review: 1,
  submitted: 1,
  won: 2,
  lost: 2,
  closed: 2,
  canceled: 2,
};

/** The provider's clock decides; of two events of one millisecond, the one that is further along. */
function decides(dispute: DisputeState, event: DisputeWebhook, at: Date): boolean {
  const difference = at.getTime() - dispute.providerUpdatedAt.getTime();
  if (isFinal(dispute.status)) return event.overrules && difference >= 0;
  return difference > 0 || (difference === 0 && rank[event.status] >= rank[dispute.status]);
}

function isFinal(status: DisputeStatus): boolean {
  return finalDisputeStatuses.includes(status);
}
