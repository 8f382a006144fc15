import { readPayments } from '../webhooks/payments-json.ts';
import type { OrderRow } from './store/order-store.ts';

type Money = 'authorised_minor' | 'captured_minor' | 'refunded_minor';

/** How far the money of an order has come. */
export const paymentStates = [
  'pending',
  'authorised',
  'partially_captured',
  'captured',
  'partially_refunded',
  'refunded',
  'failed',
] as const;
export type PaymentState = (typeof paymentStates)[number];

/** An order as clients see it: whose it is as far as is known, and how far its money has come. */
export function shownOrder<Row extends Omit<OrderRow, 'payments'>>(row: Row) {
  const { customer_id, ...order } = row;
  return { ...order, user_id: customer_id ?? row.user_id, payment_state: paymentStateOf(row) };
}

/** With its attempts; empty where the provider reports none. */
export function shownOrderWithAttempts({ payments, ...row }: OrderRow) {
  const attempts = (readPayments(payments)?.attempts ?? []).map((attempt) => ({
    reference: attempt.reference,
    state: attempt.state,
    amount_minor: attempt.amountMinor,
    currency: attempt.currency,
    operations: attempt.operations.map(({ kind, reference, state, amountMinor, at }) => ({
      kind,
      reference,
      state,
      amount_minor: amountMinor,
      at,
    })),
    at: attempt.at,
  }));
  return { ...shownOrder(row), attempts };
}

function paymentStateOf(row: Pick<OrderRow, Money | 'status'>): PaymentState {
  const { status, authorised_minor, captured_minor, refunded_minor } = row;
  if (captured_minor > 0n) {
    if (refunded_minor >= captured_minor) return 'refunded';
    if (refunded_minor > 0n) return 'partially_refunded';
    return status === 'success' ? 'captured' : 'partially_captured';
  }
  if (status === 'success') return 'captured';
  if (status === 'failed') return 'failed';
  return authorised_minor > 0n ? 'authorised' : 'pending';
}
