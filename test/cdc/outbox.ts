import type { Client } from 'pg';

export interface OutboxRows {
  count: number;
  /** Begins aggregate ids, so that several writers don't meet. */
  prefix: string;
  /** Events per aggregate, numbered from 1. */
  perAggregate?: number;
  /** Appended to each payload. */
  padding?: string;
}

/** Inserts events of orders as the API writes them, in the client's transaction. */
export async function insertOutbox(client: Client, { count, prefix, perAggregate = 5, padding = '' }: OutboxRows) {
  await client.query(
    `insert into outbox
       (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers, created_at)
     select uuidv7(), 'order', $2 || '-' || (n / $3::int), 'user-' || (n / $3::int) % 100, n % $3::int + 1,
            'order.webhook_received',
            jsonb_build_object('kind', 'webhook_received', 'order_id', $2 || '-' || (n / $3::int), 'status', 'updated',
              'verdict', 'applied', 'amount_minor', 1999 + n, 'currency', 'EUR', 'provider', 'silvergate',
              'provider_event_id', 'evt-' || $2 || '-' || n, 'provider_updated_at', '2026-01-31T12:00:00.000Z',
              'meta', jsonb_build_object('note', 'ü "x" ' || $4)),
            jsonb_build_object('request_id', 'r-' || n), clock_timestamp()
     from generate_series(0, $1::int - 1) n`,
    [count, prefix, perAggregate, padding],
  );
}
