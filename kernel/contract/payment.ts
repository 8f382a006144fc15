/** What became of one attempt to pay an order. Later ones of this list win over earlier ones, whatever came first. */
export const attemptStates = ['pending', 'declined', 'authorised', 'canceled'] as const;
export type AttemptState = (typeof attemptStates)[number];

/**
 * What became of a capture or a refund. Later ones of this list win over earlier ones, whatever came first: a provider
 * says that a capture has failed after it has said that it succeeded, and never the other way round. `refused` is a
 * request that was never carried out; `reversed` is money that came back.
 */
export const operationStates = ['pending', 'refused', 'succeeded', 'failed', 'reversed'] as const;
export type OperationState = (typeof operationStates)[number];

export interface OperationReport {
  kind: 'capture' | 'refund';
  /** The provider's reference of the operation itself, so that two equal refunds stay two. */
  reference: string;
  state: OperationState;
  amountMinor: bigint | null;
}

/**
 * What one event says about the payment of its order. Absent means unknown, never different: what is null was not said.
 * Amounts are minor units of `currency`.
 */
export interface PaymentReport {
  /** The provider's reference of the attempt, such as Stripe's charge; null where the event names none. */
  attempt: string | null;
  /** Whether `attempt` begins to exist by this event, so that later events which name only it find the order. */
  namesAttempt: boolean;
  state: AttemptState | null;
  amountMinor: bigint | null;
  currency: string | null;
  /** All that was captured of the attempt until now, where the provider sends the sum. */
  capturedMinor: bigint | null;
  /** Whether nothing more can be captured of the attempt, be it less than was authorised. */
  isFullyCaptured: boolean;
  /** All that was refunded of the attempt until now, where the provider sends the sum. */
  refundedMinor: bigint | null;
  operations: readonly OperationReport[];
  /** Whether no further attempt follows: what is not paid by now has failed. */
  closes: boolean;
}

/** A report that says nothing yet. */
export const unsaid: PaymentReport = {
  attempt: null,
  namesAttempt: false,
  state: null,
  amountMinor: null,
  currency: null,
  capturedMinor: null,
  isFullyCaptured: false,
  refundedMinor: null,
  operations: [],
  closes: false,
};
