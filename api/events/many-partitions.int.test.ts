import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createQueryBuilder } from '../../kernel/postgres/query-builder.ts';
import { type RunningApi, startApi } from '../../test/api/running-api.ts';
import { createDatabase, type TestDatabase } from '../../test/postgres/database.ts';
import { openExport } from './export.ts';
import { eventsQuery } from './query.ts';
import { oneServerEvents } from './store/one-server.ts';

/** The days that the lab keeps events of, and those that it makes ahead. */
const partitions = 404;
const clients = 50;
const orders = 200;
const none = {
  kind: undefined,
  time_from: undefined,
  time_to: undefined,
  dispute_ids: undefined,
  order: 'asc',
} as const;

let database: TestDatabase;
let client: Client;
let api: RunningApi;

/** Orders of each of many days, with a dispute of the day after; each of two events. */
beforeAll(async () => {
  database = await createDatabase('partitioned');
  client = new Client({ connectionString: database.dsn });
  await client.connect();
  await client.query("set timezone = 'UTC'");
  for (const table of ['order_events', 'dispute_events']) {
    await client.query('select ensure_partitions($1, current_date - $2::int, current_date)', [table, partitions - 9]);
  }
  await client.query(
    `insert into orders (order_id, user_id, status, sequence, provider, provider_updated_at, created_at, updated_at)
     select 'o_' || n, 'u', 'created', 2, 'p', now(), day, day + interval '2 hours'
     from generate_series(1, $1) n cross join lateral (select current_date - n * 1.9 * interval '1 day' + interval '9 hours' as day) d`,
    [orders],
  );
  await client.query(
    `insert into disputes (dispute_id, order_id, user_id, status, reason, amount_minor, currency, sequence, provider, provider_updated_at,
       opened_at, created_at, updated_at)
     select replace(order_id, 'o', 'd'), order_id, 'u', 'open', 'fraud', 1, 'EUR', 2, 'p', now(), now(),
       created_at + interval '1 day', updated_at + interval '1 day'
     from orders`,
  );
  const ofBoth = 'gen_random_uuid(), order_id, user_id';
  await client.query(
    `insert into order_events (event_id, order_id, user_id, sequence, kind, data, created_at)
     select ${ofBoth}, 1, 'webhook_received', '{}'::jsonb, created_at from orders
     union all select ${ofBoth}, 2, 'hold_set', '{}', updated_at from orders;
     insert into dispute_events (event_id, order_id, user_id, sequence, kind, data, created_at, dispute_id)
     select ${ofBoth}, 1, 'webhook_opened', '{}'::jsonb, created_at, dispute_id from disputes
     union all select ${ofBoth}, 2, 'evidence_added', '{}', updated_at, dispute_id from disputes`,
  );
  api = await startApi({ topology: 'partitioned', dsn: database.dsn, poolMax: clients });
}, 120_000);

afterAll(async () => {
  await api?.close();
  await client?.end();
  await database?.drop();
});

test('the tables have as many partitions as the lab keeps', async () => {
  const { rows } = await client.query(
    `select count(*)::int as n from pg_inherits where inhparent in ('order_events'::regclass, 'dispute_events'::regclass) group by inhparent`,
  );
  expect(rows.map(({ n }) => n)).toEqual([partitions, partitions]);
});

test('50 clients read histories by order and by dispute, as lists and as exports, and each is answered', async () => {
  const exportsAtOnce = 2;
  const read = async (n: number): Promise<string> => {
    const id = 1 + (n % orders);
    const byOrder = await api.call('GET', `/api/v1/events?order_ids=o_${id}`);
    const byDispute = await api.call('GET', `/api/v1/events?dispute_ids=d_${id}`);
    const history = await api.call('GET', `/api/v1/orders/o_${id}/events`);
    const exported = n < exportsAtOnce ? await api.call('GET', `/api/v1/events/export?dispute_ids=d_${id}`) : byDispute;
    const statuses = [byOrder, byDispute, history, exported].map(({ status }) => status);
    return `${statuses} ${byOrder.body.data?.length} ${byDispute.body.data?.length} ${history.body.data?.length}`;
  };
  const answers: string[] = [];
  for (let round = 0; round < 4; round += 1) {
    answers.push(...(await Promise.all(Array.from({ length: clients }, (_, n) => read(round * clients + n)))));
  }
  expect(new Set(answers)).toEqual(new Set(['200,200,200,200 4 2 2']));
});

/** What one query of a history locks, and how many partitions it scans: twice those of the plain table at the most. */
async function costOf(ids: {
  order_ids?: string[];
  dispute_ids?: string[];
}): Promise<{ scanned: number; locks: number }> {
  const filters = { ...none, order_ids: undefined, ...ids };
  const places = await oneServerEvents().places(api.pool, filters);
  const { sql, parameters } = eventsQuery(createQueryBuilder(), filters, { places, limit: 101 })!.compile();
  await client.query('begin');
  const plan = await client.query(`explain (analyze, costs off, timing off) ${sql}`, [...parameters]);
  const locks = await client.query(
    `select count(*)::int as n from pg_locks where pid = pg_backend_pid() and relation::regclass::text ~ '_events'`,
  );
  await client.query('rollback');
  const text = plan.rows.map((row) => row['QUERY PLAN']).join('\n');
  return { scanned: new Set(text.match(/\w+_events_(p\d{8}|default)\b/g)).size, locks: locks.rows[0].n };
}

test('a history looks into the partitions of its own life and locks no others', async () => {
  // Parent and partition, each with its four or five indexes: twice what the plain table locks.
  expect(await costOf({ dispute_ids: ['d_7'] })).toEqual({ scanned: 1, locks: 2 * 6 });
  expect(await costOf({ order_ids: ['o_7'] })).toEqual({ scanned: 2, locks: 2 * 11 });
});

test('an open export holds the locks of its partitions only', async () => {
  const filters = { ...none, order_ids: undefined, dispute_ids: ['d_9'] };
  const opened = await openExport({ builder: createQueryBuilder(), events: oneServerEvents() }, api.pool, filters);
  const { rows } = await client.query(
    `select distinct relation::regclass::text as name from pg_locks l join pg_stat_activity a using (pid)
     where a.application_name = 'api-test' and relation::regclass::text ~ '_events' and relation in (select oid from pg_class where relkind in ('r', 'p'))`,
  );
  await opened.close();
  expect(rows).toHaveLength(2);
});
