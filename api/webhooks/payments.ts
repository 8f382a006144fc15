import {
  type AttemptState,
  attemptStates,
  type OperationReport,
  type OperationState,
  operationStates,
  type PaymentReport,
} from '../../kernel/contract/payment.ts';
import type { OrderStatus } from '../../kernel/contract/status.ts';

/** One attempt to pay an order, with all that is known of it. Amounts are minor units. */
export interface Attempt {
  /** The provider's; empty for what events have said without naming an attempt. */
  reference: string;
  state: AttemptState | null;
  amountMinor: bigint | null;
  currency: string | null;
  /** The provider's own sums, and when it said the second one: a refund that fails makes it smaller. */
  capturedMinor: bigint | null;
  isFullyCaptured: boolean;
  refundedMinor: bigint | null;
  refundedAt: Date | null;
  operations: Operation[];
  /** When the provider has last said something of it. */
  at: Date;
}

export interface Operation extends OperationReport {
  /** When it came to be in its state. */
  at: Date;
  /** When it was first reported as under way or done; null while it was only reported as come to nothing. */
  since: Date | null;
}

/** How an order is paid: everything else about money follows from it. */
export interface Payments {
  attempts: Attempt[];
  /** Whether no further attempt follows. */
  isClosed: boolean;
}

/** What the attempts add up to, in minor units. */
export interface PaymentSums {
  authorisedMinor: bigint;
  capturedMinor: bigint;
  refundedMinor: bigint;
}

export const noPayments: Payments = { attempts: [], isClosed: false };

/**
 * Adds a report to what is known. The result is the same in whatever order the reports come: states only move forward
 * in their lists, and where a provider sends sums the newest counts.
 * @returns `payments` itself where the report says nothing new.
 */
export function addReport(payments: Payments, report: PaymentReport, at: Date): Payments {
  const isClosed = payments.isClosed || report.closes;
  const saysAttempt = report.attempt !== null || report.operations.length > 0;
  const known = findAttempt(payments, report);
  const reference = known?.reference ?? report.attempt ?? '';
  if (!saysAttempt) return isClosed === payments.isClosed ? payments : { ...payments, isClosed };
  const merged = mergeAttempt(known ?? newAttempt(reference, at), report, at);
  if (known && sameExceptTime(known, merged) && isClosed === payments.isClosed) return payments;
  const attempts = known
    ? payments.attempts.map((attempt) => (attempt === known ? merged : attempt))
    : [...payments.attempts, merged];
  return { attempts, isClosed };
}

/** The attempt that a report names, or that has the operation which it names. */
function findAttempt({ attempts }: Payments, { attempt: named, operations }: PaymentReport): Attempt | undefined {
  const own = attempts.find(({ reference }) => reference === (named ?? ''));
  if (own) return own;
  const references = new Set([named, ...operations.map(({ reference }) => reference)]);
  return attempts.find((attempt) => attempt.operations.some(({ reference }) => references.has(reference)));
}

function newAttempt(reference: string, at: Date): Attempt {
  return {
    reference,
    state: null,
    amountMinor: null,
    currency: null,
    capturedMinor: null,
    isFullyCaptured: false,
    refundedMinor: null,
    refundedAt: null,
    operations: [],
    at,
  };
}

function mergeAttempt(attempt: Attempt, report: PaymentReport, at: Date): Attempt {
  const isNewer = at >= attempt.at;
  const saysRefunded = report.refundedMinor !== null && isNewerRefund(attempt, report.refundedMinor, at);
  return {
    reference: attempt.reference,
    state: further(attemptStates, attempt.state, report.state),
    amountMinor: isNewer ? (report.amountMinor ?? attempt.amountMinor) : (attempt.amountMinor ?? report.amountMinor),
    currency: isNewer ? (report.currency ?? attempt.currency) : (attempt.currency ?? report.currency),
    capturedMinor: larger(attempt.capturedMinor, report.capturedMinor),
    isFullyCaptured: attempt.isFullyCaptured || report.isFullyCaptured,
    refundedMinor: saysRefunded ? report.refundedMinor : attempt.refundedMinor,
    refundedAt: saysRefunded ? at : attempt.refundedAt,
    operations: report.operations.reduce((operations, one) => mergeOperation(operations, one, at), attempt.operations),
    at: isNewer ? at : attempt.at,
  };
}

/** Of two sums of one instant the larger counts: refunds of one second come one after the other. */
function isNewerRefund({ refundedAt, refundedMinor }: Attempt, minor: bigint, at: Date): boolean {
  if (refundedAt === null || refundedMinor === null || at > refundedAt) return true;
  return at.getTime() === refundedAt.getTime() && minor > refundedMinor;
}

/** States in which an operation moves money, or is about to. */
const underWay: readonly OperationState[] = ['pending', 'succeeded'];

function mergeOperation(operations: Operation[], report: OperationReport, at: Date): Operation[] {
  const known = operations.find(({ kind, reference }) => kind === report.kind && reference === report.reference);
  const isUnderWay = underWay.includes(report.state);
  if (!known) return [...operations, { ...report, at, since: isUnderWay ? at : null }];
  const state = further(operationStates, known.state, report.state)!;
  const merged: Operation = {
    kind: known.kind,
    reference: known.reference,
    state,
    amountMinor: known.amountMinor ?? report.amountMinor,
    // When it came to be in this state.
    at: state !== known.state || (report.state === state && at > known.at) ? at : known.at,
    since: isUnderWay && (known.since === null || at < known.since) ? at : known.since,
  };
  return operations.map((operation) => (operation === known ? merged : operation));
}

function further<State extends string>(
  order: readonly State[],
  known: State | null,
  reported: State | null,
): State | null {
  if (known === null || reported === null) return known ?? reported;
  return order.indexOf(reported) > order.indexOf(known) ? reported : known;
}

function larger(known: bigint | null, reported: bigint | null): bigint | null {
  if (known === null || reported === null) return known ?? reported;
  return reported > known ? reported : known;
}

function sameExceptTime(a: Attempt, b: Attempt): boolean {
  return (
    a.state === b.state &&
    a.amountMinor === b.amountMinor &&
    a.currency === b.currency &&
    a.capturedMinor === b.capturedMinor &&
    a.isFullyCaptured === b.isFullyCaptured &&
    a.refundedMinor === b.refundedMinor &&
    a.operations.length === b.operations.length &&
    a.operations.every(({ state, since }, index) => {
      const other = b.operations[index]!;
      return state === other.state && since?.getTime() === other.since?.getTime();
    })
  );
}

/**
 * What the attempts add up to. Where a provider sends single captures and sums, the larger figure counts, since single
 * ones may not be subscribed to; a refund that has failed since a sum was sent is taken off it, and one that has begun since is added.
 */
export function sumsOf({ attempts }: Payments): PaymentSums {
  const sums = { authorisedMinor: 0n, capturedMinor: 0n, refundedMinor: 0n };
  for (const attempt of attempts) {
    if (attempt.state === 'authorised') sums.authorisedMinor += attempt.amountMinor ?? 0n;
    sums.capturedMinor += capturedOf(attempt);
    sums.refundedMinor += refundedOf(attempt);
  }
  return sums;
}

function capturedOf(attempt: Attempt): bigint {
  return larger(attempt.capturedMinor, sumOf(attempt, 'capture', ['succeeded']))!;
}

function refundedOf(attempt: Attempt): bigint {
  const givenBack = givenBackOf(attempt) - releasedOf(attempt);
  return givenBack > 0n ? givenBack : 0n;
}

/** What was authorised and never taken: Stripe tells of its release as of a refund. */
function releasedOf({ state, amountMinor, capturedMinor, isFullyCaptured }: Attempt): bigint {
  const captured = capturedMinor ?? 0n;
  const isReleased = isFullyCaptured || (state === 'canceled' && captured === 0n);
  if (!isReleased || amountMinor === null || amountMinor <= captured) return 0n;
  return amountMinor - captured;
}

/** The provider's own sum, with what is known to have changed after it. */
function givenBackOf(attempt: Attempt): bigint {
  const single = sumOf(attempt, 'refund', underWay);
  const { refundedMinor, refundedAt, operations } = attempt;
  if (refundedMinor === null || refundedAt === null) return single;
  let sum = refundedMinor;
  for (const { kind, state, at, since, amountMinor } of operations) {
    if (kind !== 'refund') continue;
    const isInSum = since === null || since <= refundedAt;
    if (underWay.includes(state)) sum += isInSum ? 0n : (amountMinor ?? 0n);
    else if (isInSum && at >= refundedAt) sum -= amountMinor ?? 0n;
  }
  return larger(sum, single)!;
}

function sumOf({ operations }: Attempt, kind: Operation['kind'], states: readonly OperationState[]): bigint {
  return operations
    .filter((operation) => operation.kind === kind && states.includes(operation.state))
    .reduce((sum, { amountMinor }) => sum + (amountMinor ?? 0n), 0n);
}

/**
 * An order is paid when everything that is authorised was captured. It has failed when nothing more can be captured:
 * the provider has closed it, a capture has failed, or what was authorised was canceled. A declined attempt alone leaves
 * it open, since the customer may try another card.
 */
export function statusOf(payments: Payments): OrderStatus {
  const { attempts, isClosed } = payments;
  if (isPaid(payments)) return 'success';
  const hasCaptured = attempts.some((attempt) => capturedOf(attempt) > 0n);
  if (hasCaptured) return 'updated';
  const hasFailedCapture = attempts.some(({ operations }) =>
    operations.some(({ kind, state }) => kind === 'capture' && state === 'failed'),
  );
  const isOpen = attempts.some(({ state }) => state === 'authorised' || state === 'pending');
  const isCanceled = !isOpen && attempts.some(({ state }) => state === 'canceled');
  if (isClosed || hasFailedCapture || isCanceled) return 'failed';
  return attempts.every(({ state }) => state === 'pending') ? 'created' : 'updated';
}

function isPaid({ attempts }: Payments): boolean {
  let captured = 0n;
  let toCapture = 0n;
  let isAnyCaptured = false;
  for (const attempt of attempts) {
    const minor = capturedOf(attempt);
    if (minor > 0n) isAnyCaptured = true;
    // What was captured for the last time leaves nothing to wait for, be it less than was authorised.
    if (attempt.isFullyCaptured) continue;
    captured += minor;
    if (attempt.state === 'authorised') toCapture += attempt.amountMinor ?? 0n;
  }
  return isAnyCaptured && captured >= toCapture;
}

/** What the order is worth: all that is authorised, else what is asked for, else what was last tried. */
export function amountOf({ attempts }: Payments): { amountMinor: bigint; currency: string } | undefined {
  const priced = attempts.filter(({ amountMinor, currency }) => amountMinor !== null && currency !== null);
  for (const wanted of ['authorised', 'pending'] as const) {
    const live = priced.filter(({ state }) => state === wanted);
    if (live.length > 0) {
      return {
        amountMinor: live.reduce((sum, { amountMinor }) => sum + amountMinor!, 0n),
        currency: live[0]!.currency!,
      };
    }
  }
  const last = priced.toSorted((a, b) => a.at.getTime() - b.at.getTime()).at(-1);
  return last && { amountMinor: last.amountMinor!, currency: last.currency! };
}

/** The currency of the money that the order has or waits for; undefined while any would do. */
export function boundCurrency({ attempts }: Payments): string | undefined {
  const bound = attempts.find(
    (attempt) => attempt.currency !== null && (attempt.state === 'authorised' || capturedOf(attempt) > 0n),
  );
  return bound?.currency ?? undefined;
}
