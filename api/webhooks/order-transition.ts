import { finalOrderStatuses, type OrderStatus } from '../../kernel/contract/status.ts';
import { guestOf, isGuest, type OrderWebhook } from '../../kernel/contract/webhooks.ts';
import { addReport, amountOf, boundCurrency, noPayments, type Payments, statusOf, sumsOf } from './payments.ts';
import type { OrderState, Transition } from './state.ts';

/** Who sent an event, and by which time it counts. */
export interface Arrival {
  provider: string;
  /** See `rulingTime`. */
  at: Date;
  /** Under whom the order lies if the event makes it known; undefined where rows may lie anywhere. */
  owner: string | undefined;
  /** Whether an operator has decided that the event counts although it contradicts the order. */
  isReleased: boolean;
}

/**
 * What an order webhook does to its order. Pure, so that every order of arrival can be tried in a test. An event for an
 * unknown order waits unless it is the one that makes the order known. Where events report payments, the order's status
 * and sums follow from all that was reported, whatever came first. Else the provider's clock decides: an older event is
 * recorded under the next sequence and moves nothing, and a final status never changes.
 */
export function orderTransition(
  order: OrderState | undefined,
  event: OrderWebhook,
  arrival: Arrival,
): Transition<OrderState> {
  const { at } = arrival;
  if (!order) {
    return event.introduces ? { verdict: 'applied', next: newOrder(event, arrival) } : { verdict: 'parked' };
  }
  const mismatch = arrival.isReleased ? undefined : findMismatch(order, event);
  if (mismatch) return { verdict: 'quarantined', reason: mismatch };
  const next = {
    ...order,
    sequence: order.sequence + 1n,
    customerId: customerOf(order, event),
  };
  if (event.payment) {
    const payments = addReport(order.payments ?? noPayments, event.payment, at);
    if (payments === order.payments && next.customerId === order.customerId) return { verdict: 'stale', next };
    const known = { payments, provider: arrival.provider, providerUpdatedAt: later(order.providerUpdatedAt, at) };
    return { verdict: 'applied', next: { ...next, ...known, ...derived(payments, order) } };
  }
  if (finalOrderStatuses.includes(order.status) || !isNewer(order, event.status, at)) {
    return { verdict: 'stale', next };
  }
  const amountMinor = order.amountMinor ?? event.amountMinor;
  return {
    verdict: 'applied',
    next: {
      ...next,
      status: event.status === 'created' ? order.status : event.status,
      amountMinor,
      currency: order.currency ?? event.currency,
      capturedMinor: event.status === 'success' ? (amountMinor ?? 0n) : order.capturedMinor,
      provider: arrival.provider,
      providerUpdatedAt: at,
    },
  };
}

function newOrder(event: OrderWebhook, { provider, owner, at }: Arrival): OrderState {
  const userId = owner ?? event.userId ?? guestOf(event.orderId);
  const base = {
    orderId: event.orderId,
    userId,
    customerId: isGuest(userId) && event.userId !== userId ? event.userId : null,
    sequence: 1n,
    provider,
    providerUpdatedAt: at,
  };
  const money = { amountMinor: event.amountMinor, currency: event.currency };
  if (event.payment) {
    const payments = addReport(noPayments, event.payment, at);
    return { ...base, payments, ...derived(payments, money) };
  }
  return {
    ...base,
    ...money,
    payments: null,
    status: event.status,
    authorisedMinor: 0n,
    capturedMinor: event.status === 'success' ? (event.amountMinor ?? 0n) : 0n,
    refundedMinor: 0n,
  };
}

/** What follows from the payments. @param before the amount that stands while no attempt names one */
function derived(payments: Payments, before: Pick<OrderState, 'amountMinor' | 'currency'>) {
  const { amountMinor, currency } = amountOf(payments) ?? before;
  return { status: statusOf(payments), amountMinor, currency, ...sumsOf(payments) };
}

function findMismatch(order: OrderState, event: OrderWebhook): string | undefined {
  if (contradictsUser(order, event.userId)) return 'user_id differs from the order';
  if (event.payment) {
    const bound = boundCurrency(order.payments ?? noPayments);
    const named = event.payment.currency;
    return bound === undefined || named === null || named === bound ? undefined : 'currency differs from the order';
  }
  if (event.amountMinor === null || order.amountMinor === null) return undefined;
  if (event.currency !== order.currency) return 'currency differs from the order';
  return event.amountMinor === order.amountMinor ? undefined : 'amount_minor differs from the order';
}

/** Whether an event names another user than is known of the order. Nothing named is unknown, and contradicts nothing. */
export function contradictsUser(order: OrderState, userId: string | null): boolean {
  const known = order.customerId ?? (isGuest(order.userId) ? null : order.userId);
  return known !== null && isOtherUser(known, userId);
}

/** Whether `named` is the name of another user than `known`. */
export function isOtherUser(known: string, named: string | null): boolean {
  return named !== null && named !== known && isStripeCustomer(named) === isStripeCustomer(known);
}

/** A provider's own name of a customer is another name than the merchant's, not the name of another user. */
function isStripeCustomer(userId: string): boolean {
  return userId.startsWith('cus_');
}

function customerOf(order: OrderState, { userId }: OrderWebhook): string | null {
  return order.customerId ?? (isGuest(order.userId) && userId !== order.userId ? userId : null);
}

const rank: Readonly<Record<OrderStatus, number>> = { created: 0, updated: 1, success: 2, failed: 2 };

/** The provider's clock decides; of two events of one millisecond, the one that is further along. */
function isNewer(order: OrderState, status: OrderStatus, at: Date): boolean {
  const difference = at.getTime() - order.providerUpdatedAt.getTime();
  return difference > 0 || (difference === 0 && rank[status] >= rank[order.status]);
}

function later(a: Date, b: Date): Date {
  return a > b ? a : b;
}
