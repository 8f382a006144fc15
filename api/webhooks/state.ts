import type { DisputeStatus, OrderStatus } from '../../kernel/contract/status.ts';

/** An order as the webhook application sees it: the columns that decide, and those that it may change. */
export interface OrderState {
  orderId: string;
  userId: string;
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
