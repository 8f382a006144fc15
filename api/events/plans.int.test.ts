import { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCursors } from '../../kernel/http/cursor.ts';
import { createQueryBuilder } from '../../kernel/postgres/query-builder.ts';
import { createDatabase, type TestDatabase } from '../../test/postgres/database.ts';
import { listOrderEvents } from '../orders/list.ts';
import { oneServerOrders } from '../orders/store/one-server.ts';
import { listEvents } from './list.ts';
import { eventsQuery } from './query.ts';
import { oneServerEvents } from './store/one-server.ts';

const builder = createQueryBuilder();
const cursors = createCursors('a secret of the tests');
let database: TestDatabase;
let pool: Pool;

/** Forty days of events. The order `o_77` began on the twentieth and was changed last on the day after; its dispute is of one day. */
beforeAll(async () => {
  database = await createDatabase('partitioned');
  pool = new Pool({ connectionString: database.dsn, max: 1 });
  await pool.query(
    "select ensure_partitions(t, '2026-01-01', '2026-02-10') from unnest('{order_events,dispute_events}'::text[]) t",
  );
  await pool.query(
    `insert into orders (order_id, user_id, status, amount_minor, currency, sequence, provider, provider_updated_at, created_at, updated_at)
     values ('o_77', 'u', 'created', 1, 'EUR', 2, 'p', now(), '2026-01-20 12:00Z', '2026-01-21 12:00Z'),
            ('o_78', 'u', 'created', 1, 'EUR', 2, 'p', now(), '2026-01-05 08:00Z', '2026-01-05 12:00Z')`,
  );
  await pool.query(
    `insert into disputes (dispute_id, order_id, user_id, status, reason, amount_minor, currency, sequence, provider, provider_updated_at,
       opened_at, created_at, updated_at)
     values ('d_77', 'o_77', 'u', 'open', 'fraud', 1, 'EUR', 2, 'p', now(), now(), '2026-01-25 00:30Z', '2026-01-25 23:30Z')`,
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

/** A pool that notes what it is asked. */
function observedPool(): { asked: { text: string; values: unknown[] }[]; pool: Pool } {
  const asked: { text: string; values: unknown[] }[] = [];
  const query = (text: string, values: unknown[]) => {
    asked.push({ text, values });
    return pool.query(text, values);
  };
  return { asked, pool: { query } as unknown as Pool };
}

/** The days whose partitions the last query looked into, by table. */
async function daysOf(asked: readonly { text: string; values: unknown[] }[]): Promise<string[]> {
  const { text, values } = asked.at(-1)!;
  return [...partitionsIn(await planOf(text, values))].sort();
}

test('the events of one order are looked for in the days of its life', async () => {
  const observed = observedPool();
  const reads = { orders: oneServerOrders(pool), cursors, isShown: () => true };
  const found = await listOrderEvents(reads, observed.pool, 'o_77', { limit: 100 });
  expect(found!.rows.length).toBeGreaterThan(0);
  expect(await daysOf(observed.asked)).toEqual(['order_events_p20260120', 'order_events_p20260121']);
});

const filters = { order: 'asc', kind: undefined, time_from: undefined, time_to: undefined } as const;
const firstPage = { limit: 50, cursor: undefined };
const reads = { builder, cursors, events: oneServerEvents() };

test('a list by order looks into the days of the order, and of its disputes, and into no others', async () => {
  const observed = observedPool();
  const { rows } = await listEvents(
    reads,
    observed.pool,
    { ...filters, order_ids: ['o_77'], dispute_ids: undefined },
    firstPage,
  );
  expect(new Set(rows.map(({ aggregate }) => aggregate))).toEqual(new Set(['order', 'dispute']));
  const days = ['dispute_events_p20260125', 'order_events_p20260120', 'order_events_p20260121'];
  expect(await daysOf(observed.asked)).toEqual(days);
});

test('several ids are looked for in the days of each, and not in those between', async () => {
  const observed = observedPool();
  await listEvents(
    reads,
    observed.pool,
    { ...filters, order_ids: ['o_77', 'o_78'], dispute_ids: undefined },
    firstPage,
  );
  const days = ['order_events_p20260105', 'order_events_p20260120', 'order_events_p20260121'];
  expect((await daysOf(observed.asked)).filter((name) => name.startsWith('order'))).toEqual(days);
});

test('what is not known is not looked for', async () => {
  const observed = observedPool();
  const { rows } = await listEvents(
    reads,
    observed.pool,
    { ...filters, order_ids: ['unknown'], dispute_ids: undefined },
    firstPage,
  );
  expect(rows).toEqual([]);
  expect(observed.asked.map(({ text }) => /_events/.test(text))).toEqual([false]);
});

test('the disputes of one order are found by an index, and not among those of all orders', async () => {
  const wanted = { ...filters, order_ids: ['o_77'], kind: ['webhook_opened' as const], dispute_ids: undefined };
  const { sql, parameters } = eventsQuery(builder, wanted, { limit: 50 })!.compile();
  const plan = await planOf(sql, parameters);
  // The partitions without rows are read as a whole, which is nothing.
  expect(plan.match(/Index Cond: \(order_id = 'o_77'::text\)/g)).toHaveLength(40);
});
