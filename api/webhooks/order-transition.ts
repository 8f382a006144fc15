import { finalOrderStatuses, type OrderStatus } from '../../kernel/contract/status.ts';
import type { OrderWebhook } from '../../kernel/contract/webhooks.ts';
import type { OrderState, Transition } from './state.ts';

/**
 * What an order webhook does to its order. Pure, so that every order of arrival can be tried in a test.
 * An older event is recorded under the next sequence and moves nothing; a final status never changes; an event for an
 * unknown order waits unless it is the one that makes the order known.
 */
export function orderTransition(
  order: OrderState | undefined,
  event: OrderWebhook,
  provider: string,
): Transition<OrderState> {
  if (!order) return event.introduces ? { verdict: 'applied', next: newOrder(event, provider) } : { verdict: 'parked' };
  const mismatch = findMismatch(order, event);
  if (mismatch) return { verdict: 'quarantined', reason: mismatch };
  const sequence = order.sequence + 1n;
  if (finalOrderStatuses.includes(order.status) || !isNewer(order, event)) {
    return { verdict: 'stale', next: { ...order, sequence } };
  }
  return {
    verdict: 'applied',
    next: {
      ...order,
      status: event.status === 'created' ? order.status : event.status,
      amountMinor: order.amountMinor ?? event.amountMinor,
      currency: order.currency ?? event.currency,
      sequence,
      provider,
      providerUpdatedAt: event.providerUpdatedAt,
    },
  };
}

function newOrder(event: OrderWebhook, provider: string): OrderState {
  return {
    orderId: event.orderId,
    userId: event.userId,
    status: event.status,
    amountMinor: event.amountMinor,
    currency: event.currency,
    sequence: 1n,
    provider,
    providerUpdatedAt: event.providerUpdatedAt,
  };
}

function findMismatch(order: OrderState, event: OrderWebhook): string | undefined {
  if (event.userId !== order.userId) return 'user_id differs from the order';
  if (event.amountMinor === null || order.amountMinor === null) return undefined;
  if (event.currency !== order.currency) return 'currency differs from the order';
  return event.amountMinor === order.amountMinor ? undefined : 'amount_minor differs from the order';
}

const rank: Readonly<Record<OrderStatus, number>> = { created: 0, updated: 1, success: 2, failed: 2 };

/** The provider's clock decides; of two events of one instant, the one that is further along. */
function isNewer(order: OrderState, event: OrderWebhook): boolean {
  const difference = event.providerUpdatedAt.getTime() - order.providerUpdatedAt.getTime();
  return difference > 0 || (difference === 0 && rank[event.status] >= rank[order.status]);
}
