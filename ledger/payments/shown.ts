import type { CommandRow, PaymentEvent, PaymentRow, RefundRow } from './rows.ts';

/** A payment as clients see it: which hold reserves its money is the ledger's affair, and the provider is the one in use. */
export function shownPayment({ hold_id, charged_by, provider, ...row }: PaymentRow) {
  return { ...row, provider: charged_by ?? provider, requested_provider: provider, hold_id };
}

export function shownRefund(row: RefundRow) {
  return row;
}

export function shownPaymentEvent({ user_id: _internal, ...event }: PaymentEvent) {
  return event;
}

/** A command that was given up, as an operator sees it. */
export function shownDeadCommand({ command_id, payment_id, operation, attempts, last_error, created_at }: CommandRow) {
  return { command_id, payment_id, operation, attempts, last_error, created_at };
}
