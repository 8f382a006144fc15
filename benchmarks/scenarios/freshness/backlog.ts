import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';

const eventsPerOrder = 20;
const ordersPerTransaction = 20;

/**
 * Writes events while no engine reads them, in transactions of 400 rows, as group commit makes them under load. Straight
 * into the tables: the same backlog for every engine, however fast webhooks are on this machine at this moment.
 * @returns how many were written; fewer than asked for when there are too few orders.
 */
export async function fillOutbox(client: Client, count: number, signal: AbortSignal): Promise<number> {
  const text = await readFile(new URL('./sql/fill_outbox.sql', import.meta.url), 'utf8');
  const { rows } = await client.query<{ n: string }>('select count(*) as n from orders');
  const orders = Number(rows[0]!.n);
  let written = 0;
  for (let offset = 0; written < count && orders > 0; offset = (offset + ordersPerTransaction) % orders) {
    signal.throwIfAborted();
    const result = await client.query(text, [ordersPerTransaction, offset, eventsPerOrder]);
    written += result.rowCount ?? 0;
  }
  return written;
}
