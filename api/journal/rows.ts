import type { DisputeEventKind, OrderEventKind } from '../../kernel/contract/status.ts';

interface EventRow {
  /** UUIDv7; the outbox row carries the same one. */
  eventId: string;
  orderId: string;
  userId: string;
  /** Allocated under the aggregate's row lock: 1..n without gaps. */
  sequence: bigint;
  /** Null for what the merchant did through the API. */
  provider: string | null;
  providerEventId: string | null;
  /**
   * JSON; bigint amounts are allowed and written as the API writes them. `after` holds the aggregate's status, amount
   * and currency (and a dispute's reason) as the event left them, so that a reader needs no other event to know them.
   */
  data: Record<string, unknown>;
  /** Decides the partition; the outbox row carries the same one. */
  createdAt: Date;
}

export interface OrderEventRow extends EventRow {
  kind: OrderEventKind;
}

export interface DisputeEventRow extends EventRow {
  disputeId: string;
  kind: DisputeEventKind;
}

/**
 * A domain event as the code that causes it describes it: the journal row and the outbox row are both made from it.
 * `headers` reach the outbox only.
 */
export type DomainEvent =
  | (OrderEventRow & { aggregate: 'order'; headers: Record<string, string> })
  | (DisputeEventRow & { aggregate: 'dispute'; headers: Record<string, string> });
