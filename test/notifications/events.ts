import type { Client } from 'pg';
import type { SinkEvent } from '../../stream/sink.ts';

export interface PaidOrder {
  orderId: string;
  userId: string;
  /** RFC 3339; now unless told otherwise. */
  at?: string;
}

const paidPayload = (orderId: string) => ({
  kind: 'webhook_received',
  order_id: orderId,
  status: 'success',
  verdict: 'applied',
  after: { status: 'success', amount_minor: 4_990, currency: 'EUR' },
});

/** Writes the outbox row of an order that was paid, as the API does. */
export async function insertPaid(client: Client, { orderId, userId, at }: PaidOrder): Promise<void> {
  await client.query(
    `insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers, created_at)
     values (gen_random_uuid(), 'order', $1, $2, 1, 'order.webhook_received', $3, '{}', coalesce($4::timestamptz, now()))`,
    [orderId, userId, JSON.stringify(paidPayload(orderId)), at ?? null],
  );
}

/** The same as a reader of the stream hands it on. */
export function paidEvent({ orderId, userId, at = new Date().toISOString() }: PaidOrder): SinkEvent {
  return {
    envelope: {
      event_id: crypto.randomUUID(),
      type: 'order.webhook_received',
      version: 1,
      aggregate_type: 'order',
      aggregate_id: orderId,
      user_id: userId,
      sequence: 1n,
      occurred_at: at,
      payload: JSON.stringify(paidPayload(orderId)),
    },
    times: {},
  };
}

/** A user with an email address. */
export async function insertUser(client: Pick<Client, 'query'>, userId: string, email: string): Promise<void> {
  await client.query(`insert into users (user_id, email, password_hash) values ($1, $2, 'none')`, [userId, email]);
}
