import { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCursors } from '../../kernel/http/cursor.ts';
import { createQueryBuilder } from '../../kernel/postgres/query-builder.ts';
import { createDatabase, type TestDatabase } from '../../test/postgres/database.ts';
import { listOrderEvents } from '../orders/list.ts';
import { oneServerOrders } from '../orders/store/one-server.ts';
import { eventsQuery } from './query.ts';

const builder = createQueryBuilder();
let database: TestDatabase;
let pool: Pool;

/** Forty days of events. The order `o_77` began on the twentieth and was changed last on the day after. */
beforeAll(async () => {
  database = await createDatabase('partitioned');
  pool = new Pool({ connectionString: database.dsn, max: 1 });
  await pool.query(
    "select ensure_partitions(t, '2026-01-01', '2026-02-10') from unnest('{order_events,dispute_events}'::text[]) t",
  );
  await pool.query(
    `insert into orders (order_id, user_id, status, amount_minor, currency, sequence, provider, provider_updated_at, created_at, updated_at)
     values ('o_77', 'u', 'created', 1, 'EUR', 2, 'p', now(), '2026-01-20 12:00Z', '2026-01-21 12:00Z')`,
  );
  for (const [table, more] of [
    ['order_events', "'webhook_received'"],
    ['dispute_events', "'webhook_opened'"],
  ] as const) {
    await pool.query(
      `insert into ${table} (event_id, ${table === 'dispute_events' ? 'dispute_id, ' : ''}order_id, user_id, sequence, kind, data, created_at)
       select gen_random_uuid(), ${table === 'dispute_events' ? "'d_' || n, " : ''}'o_' || n % 1000, 'u', n, ${more}, '{}', '2026-01-01'::timestamptz + n * interval '1 minute'
       from generate_series(0, 40 * 1440 - 1) n`,
    );
    await pool.query(`analyze ${table}`);
  }
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

/** Names of the partitions and indexes that the plan of a query touches. */
async function planOf(text: string, values: readonly unknown[]): Promise<string> {
  const { rows } = await pool.query(`explain (costs off) ${text}`, [...values]);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}
const partitionsIn = (plan: string) => new Set(plan.match(/\w+_events_(p\d{8}|default)\b/g));

test('the events of one order are looked for in the days of its life', async () => {
  const asked: { text: string; values: unknown[] }[] = [];
  const observed = {
    query: (text: string, values: unknown[]) => {
      asked.push({ text, values });
      return pool.query(text, values);
    },
  } as unknown as Pool;
  const reads = { orders: oneServerOrders(pool), cursors: createCursors('a secret of the tests') };
  const found = await listOrderEvents(reads, observed, 'o_77', { limit: 100 });
  expect(found!.rows.length).toBeGreaterThan(0);
  const { text, values } = asked.at(-1)!;
  const partitions = partitionsIn(await planOf(text, values));
  const days = ['20260119', '20260120', '20260121', '20260122'];
  expect([...partitions].sort()).toEqual(days.map((day) => `order_events_p${day}`));
});

test('the disputes of one order are found by an index, and not among those of all orders', async () => {
  const filters = { order_ids: ['o_77'], kind: ['webhook_opened' as const], order: 'asc' as const };
  const none = { dispute_ids: undefined, time_from: undefined, time_to: undefined };
  const { sql, parameters } = eventsQuery(builder, { ...filters, ...none }, { limit: 50 })!.compile();
  const plan = await planOf(sql, parameters);
  // The partitions without rows are read as a whole, which is nothing.
  expect(plan.match(/Index Cond: \(order_id = 'o_77'::text\)/g)).toHaveLength(40);
});
