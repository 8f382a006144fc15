import type { DisputeStatus, OrderStatus } from '../../kernel/contract/status.ts';
import type { PaymentSums, Payments } from './payments.ts';

/** An order as the webhook application sees it: the columns that decide, and those that it may change. */
export interface OrderState extends PaymentSums {
  orderId: string;
  /** Under whom the order lies, for ever: the user whom its first event named, or a guest. */
  userId: string;
  /** Whose a guest's order turned out to be; null before that, and where `userId` says it. */
  customerId: string | null;
  /** Null where the provider says only what the order's status is. */
  payments: Payments | null;
  status: OrderStatus;
  amountMinor: bigint | null;
  currency: string | null;
  sequence: bigint;
  provider: string;
  providerUpdatedAt: Date;
}

/** A dispute as the webhook application sees it. */
export interface DisputeState {
  disputeId: string;
  orderId: string;
  userId: string;
  status: DisputeStatus;
  reason: string;
  amountMinor: bigint;
  currency: string;
  sequence: bigint;
  provider: string;
  providerUpdatedAt: Date;
  /** What the provider has taken from the merchant for it and not given back, in minor units. */
  chargedBackMinor: bigint;
  /** When the provider has last moved money for it. */
  fundsMovedAt: Date | null;
  openedAt: Date;
  evidenceDueAt: Date | null;
  closedAt: Date | null;
}

/** A state as its row has it: with the time of its newest event. */
export type Timed<State> = State & { updatedAt: Date };

/** What one event does to one aggregate. `next` is the state to store; its sequence is the event's number. */
export type Transition<State> =
  | { verdict: 'applied' | 'stale'; next: State }
  | { verdict: 'parked' }
  | { verdict: 'quarantined'; reason: string };
