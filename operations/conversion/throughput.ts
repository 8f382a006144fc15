import { setTimeout as delay } from 'node:timers/promises';
import { withClient } from '../../kernel/postgres/with-client.ts';

/** Deliveries that the server has stored since its statistics began; it hands them on about once a second. */
export async function countDeliveries(dsn: string): Promise<{ rows: number; atMs: number }> {
  return withClient(dsn, async (client) => {
    const { rows } = await client.query<{ rows: number }>(
      `select coalesce(sum(n_tup_ins), 0)::float8 as rows from pg_stat_user_tables
       where relid = 'public.webhook_deliveries'::regclass
          or relid in (select inhrelid from pg_inherits where inhparent = 'public.webhook_deliveries'::regclass)`,
    );
    return { rows: rows[0]!.rows, atMs: performance.now() };
  });
}

/** Webhooks a second over so many milliseconds. */
export async function measureThroughput(dsn: string, overMs: number): Promise<number> {
  const before = await countDeliveries(dsn);
  await delay(overMs);
  return rateBetween(before, await countDeliveries(dsn));
}

export function rateBetween(from: { rows: number; atMs: number }, to: { rows: number; atMs: number }): number {
  return Math.max(0, Math.round((to.rows - from.rows) / ((to.atMs - from.atMs) / 1_000)));
}
