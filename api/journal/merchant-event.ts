import { uuidv7 } from '../../kernel/uuid.ts';

/** What the merchant did through the API to an aggregate whose row is locked. */
export interface MerchantChange {
  data: Record<string, unknown>;
  now: Date;
  requestId: string;
}

/** The row as the change leaves it, with its new sequence number and time. */
interface ChangedRow {
  order_id: string;
  user_id: string;
  sequence: bigint;
  /** The event's time. */
  updated_at: Date;
}

/** The fields that events of orders and of disputes share when no provider has caused them. */
export function merchantEvent(row: ChangedRow, change: MerchantChange, after: Record<string, unknown>) {
  return {
    eventId: uuidv7(change.now.getTime()),
    orderId: row.order_id,
    userId: row.user_id,
    sequence: row.sequence,
    provider: null,
    providerEventId: null,
    data: { ...change.data, after },
    createdAt: row.updated_at,
    headers: { request_id: change.requestId },
  };
}
