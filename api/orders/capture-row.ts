import type { ClientBase } from 'pg';
import { ownedStatement } from '../../kernel/postgres/statement.ts';

const find = ownedStatement(new URL('./sql/find_capture.sql', import.meta.url));
const sum = ownedStatement(new URL('./sql/sum_captures.sql', import.meta.url));
const insert = ownedStatement(new URL('./sql/insert_capture.sql', import.meta.url));

/** A capture with the names that the database and the API share. */
export interface CaptureRow {
  /** Also the idempotency key at the provider. */
  capture_id: string;
  order_id: string;
  amount_minor: bigint;
  currency: string;
  status: 'requested' | 'completed' | 'failed';
  provider_reference: string | null;
  failure_reason: string | null;
  /** While a request is asking the provider; null once it has stopped. */
  leased_until: Date | null;
  created_at: Date;
  updated_at: Date;
}

export async function findCapture(
  client: ClientBase,
  orderId: string,
  idempotencyKey: string,
  owner: string | undefined,
): Promise<CaptureRow | undefined> {
  return (await find<CaptureRow>(client, [orderId, idempotencyKey], owner)).rows[0];
}

/** Minor units that captures have taken, or may have taken, from the order. */
export async function capturedMinor(client: ClientBase, orderId: string, owner: string | undefined): Promise<bigint> {
  // The sum of int8 is numeric, hence the way through text.
  return BigInt((await sum<{ captured_minor: string }>(client, [orderId], owner)).rows[0]!.captured_minor);
}

export async function insertCapture(
  client: ClientBase,
  capture: CaptureRow,
  idempotencyKey: string,
  owner: string | undefined,
): Promise<void> {
  const { capture_id, order_id, amount_minor, currency, leased_until, created_at } = capture;
  await insert(client, [capture_id, order_id, idempotencyKey, amount_minor, currency, leased_until, created_at], owner);
}
