import { z } from 'zod';
import { toDigits } from '../../kernel/contract/digits.ts';
import { attemptStates, operationStates } from '../../kernel/contract/payment.ts';
import type { Attempt, Payments } from './payments.ts';

const minor = z.string().transform((digits) => BigInt(digits));
const time = z.string().transform((text) => new Date(text));

/** The column `orders.payments`: amounts are digits, since JSON numbers pass through floating point in many readers. */
const stored = z.object({
  closed: z.boolean(),
  attempts: z.array(
    z.object({
      reference: z.string(),
      state: z.enum(attemptStates).nullable(),
      amount_minor: minor.nullable(),
      currency: z.string().nullable(),
      captured_minor: minor.nullable(),
      fully_captured: z.boolean(),
      refunded_minor: minor.nullable(),
      refunded_at: time.nullable(),
      operations: z.array(
        z.object({
          kind: z.enum(['capture', 'refund']),
          reference: z.string(),
          state: z.enum(operationStates),
          amount_minor: minor.nullable(),
          at: time,
          // Documents that were written before this was kept have the time of the state.
          since: time.nullable().optional(),
        }),
      ),
      at: time,
    }),
  ),
});

/** How an order is paid, as its row has it. */
export type StoredPayments = z.input<typeof stored>;

/** As JSON text, which `readPayments` reads back. */
export function writePayments(payments: Payments | null): string | null {
  if (payments === null) return null;
  const document: StoredPayments = { closed: payments.isClosed, attempts: payments.attempts.map(writeAttempt) };
  return JSON.stringify(document);
}

function writeAttempt(attempt: Attempt): StoredPayments['attempts'][number] {
  return {
    reference: attempt.reference,
    state: attempt.state,
    amount_minor: toDigits(attempt.amountMinor),
    currency: attempt.currency,
    captured_minor: toDigits(attempt.capturedMinor),
    fully_captured: attempt.isFullyCaptured,
    refunded_minor: toDigits(attempt.refundedMinor),
    refunded_at: attempt.refundedAt?.toISOString() ?? null,
    operations: attempt.operations.map(({ kind, reference, state, amountMinor, at, since }) => ({
      kind,
      reference,
      state,
      amount_minor: toDigits(amountMinor),
      at: at.toISOString(),
      since: since?.toISOString() ?? null,
    })),
    at: attempt.at.toISOString(),
  };
}

/** @param value What the jsonb column holds. @throws ZodError where it is not what the lab has written. */
export function readPayments(value: unknown): Payments | null {
  if (value === null) return null;
  const { closed, attempts } = stored.parse(value);
  return {
    isClosed: closed,
    attempts: attempts.map((attempt) => ({
      reference: attempt.reference,
      state: attempt.state,
      amountMinor: attempt.amount_minor,
      currency: attempt.currency,
      capturedMinor: attempt.captured_minor,
      isFullyCaptured: attempt.fully_captured,
      refundedMinor: attempt.refunded_minor,
      refundedAt: attempt.refunded_at,
      operations: attempt.operations.map(({ kind, reference, state, amount_minor, at, since }) => ({
        kind,
        reference,
        state,
        amountMinor: amount_minor,
        at,
        since: since === undefined ? at : since,
      })),
      at: attempt.at,
    })),
  };
}
