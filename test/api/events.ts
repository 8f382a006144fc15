import type { Pool } from 'pg';

export interface SeedEvents {
  count: number;
  from: Date;
  /** Distance of one event from the next in milliseconds; the two kinds alternate. */
  everyMs: number;
  /** Before the numbers of orders and disputes; `ord_` and `dp_` stand before it. */
  prefix?: string;
  /** Characters of padding in each event's data. */
  padding?: number;
}

/** Events of orders and disputes at set times, written straight into the tables, as the superuser. */
export async function seedEvents(
  query: (text: string, values?: unknown[]) => Promise<unknown>,
  { count, from, everyMs, prefix = '', padding = 0 }: SeedEvents,
): Promise<void> {
  const values = [count, from.toISOString(), everyMs, padding, prefix];
  const time = `$2::timestamptz + i * $3 * interval '1 millisecond'`;
  const data = `jsonb_build_object('n', i, 'padding', repeat('x', $4))`;
  await query(
    `insert into order_events (event_id, order_id, user_id, sequence, kind, data, created_at)
     select gen_random_uuid(), 'ord_' || $5::text || i % 10, 'user_1', i + 1, (array['webhook_received', 'hold_set'])[1 + i / 2 % 2],
       ${data}, ${time}
     from generate_series(0, $1::int - 1, 2) i`,
    values,
  );
  await query(
    `insert into dispute_events (event_id, dispute_id, order_id, user_id, sequence, kind, data, created_at)
     select gen_random_uuid(), 'dp_' || $5::text || i % 10, 'ord_' || $5::text || i % 10, 'user_1', i + 1,
       (array['webhook_opened', 'evidence_added'])[1 + i / 2 % 2], ${data}, ${time}
     from generate_series(1, $1::int - 1, 2) i`,
    values,
  );
  await seedRows(query, prefix);
}

/** The orders and disputes that the events are about, with the times of these. */
async function seedRows(query: (text: string, values?: unknown[]) => Promise<unknown>, prefix: string): Promise<void> {
  await query(
    `insert into orders (order_id, user_id, status, sequence, provider, provider_updated_at, created_at, updated_at)
     select order_id, 'user_1', 'created', max(sequence), 'silvergate', max(created_at), min(created_at), max(created_at)
     from (
       select order_id, sequence, created_at from order_events
       union all select order_id, sequence, created_at from dispute_events
     ) e
     where order_id like 'ord\\_' || $1 || '%'
     group by order_id
     on conflict (order_id) do nothing`,
    [prefix],
  );
  await query(
    `insert into disputes (dispute_id, order_id, user_id, status, reason, amount_minor, currency, sequence, provider,
       provider_updated_at, opened_at, created_at, updated_at)
     select dispute_id, min(order_id), 'user_1', 'open', 'fraud', 1, 'EUR', max(sequence), 'silvergate',
       max(created_at), min(created_at), min(created_at), max(created_at)
     from dispute_events
     where dispute_id like 'dp\\_' || $1 || '%'
     group by dispute_id
     on conflict (dispute_id) do nothing`,
    [prefix],
  );
}

/** Connections of the pool's database that are inside a transaction or run a statement. */
export async function busyConnections(query: (text: string) => Promise<Record<string, unknown>[]>): Promise<number> {
  const [row] = await query(
    `select count(*)::int as busy from pg_stat_activity
     where datname = current_database() and application_name = 'api-test' and state <> 'idle'`,
  );
  return Number(row!.busy);
}

/** Whether every connection of the pool is free. */
export function isIdle(pool: Pool): boolean {
  return pool.totalCount === pool.idleCount && pool.waitingCount === 0;
}
