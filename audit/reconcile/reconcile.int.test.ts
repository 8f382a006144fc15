import { Client } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createClickhouseSink } from '../../cdc/clickhouse/clickhouse-sink.ts';
import { migrateClickhouse } from '../../cdc/clickhouse/migrate.ts';
import { createPool } from '../../kernel/postgres/pool.ts';
import type { Sink } from '../../stream/sink.ts';
import { createSeed } from '../../test/api/seed.ts';
import { outboxEvents } from '../../test/clickhouse/outbox.ts';
import { missingClickhouse, startTestClickhouse, type TestClickhouse } from '../../test/clickhouse/server.ts';
import { createDatabase, type TestDatabase } from '../../test/postgres/database.ts';
import { describeIf } from '../../test/skip.ts';
import { reconcile } from './reconcile.ts';

describeIf('reconciliation', missingClickhouse(), () => {
  describe.each(['plain', 'partitioned'] as const)('%s', (topology) => {
    let clickhouse: TestClickhouse;
    let database: TestDatabase;
    let source: Client;
    let sink: Sink;
    beforeAll(async () => {
      clickhouse = await startTestClickhouse();
      await migrateClickhouse(clickhouse.client);
      sink = createClickhouseSink({ client: clickhouse.client });
      database = await createDatabase(topology);
      source = new Client({ connectionString: database.dsn });
      await source.connect();
      const pool = createPool({
        dsn: database.dsn,
        applicationName: 'seed',
        logger: pino({ level: 'silent' }),
        max: 2,
        pipeline: true,
      });
      const seed = createSeed(pool, topology);
      for (let at = 0; at < 40; at++) {
        const currency = ['EUR', 'JPY', null][at % 3]!;
        const amountMinor = currency === null ? null : BigInt(at) + (at === 3 ? 9_007_199_254_740_993n : 1_000n);
        await seed.order({ orderId: `o${at}`, status: at % 2 ? 'success' : 'created', amountMinor, currency });
        if (at % 9 === 0) await seed.dispute({ disputeId: `d${at}`, orderId: `o${at}` });
      }
      await pool.end();
    });
    afterAll(async () => {
      await source?.end();
      await database?.drop();
      await clickhouse?.close();
    });
    beforeEach(async () => {
      for (const table of ['events', 'orders_latest', 'disputes_latest', 'rollup_minute', 'rollup_day']) {
        await clickhouse.client.command({ query: `truncate table ${table}` });
      }
    });

    const found = async () => {
      const result = await reconcile(source, clickhouse.client);
      return { ...result, names: result.differences.map(({ what, kind, id }) => `${what} ${kind} ${id}`) };
    };

    test('equal after every event arrived, some of them twice', async () => {
      const events = await outboxEvents(source);
      expect(events.length).toBeGreaterThan(60);
      await sink.write(events, 'all');
      await sink.write(events.slice(7, 30), 'some again');
      expect(await found()).toMatchObject({
        equal: true,
        differing: 0,
        differences: [],
        checked: { events: events.length, orders: 40, disputes: 5 },
      });
    });

    // What follows is about the comparison, and that is the same on every topology.
    if (topology !== 'plain') return;

    test('names a missing event, and the order and roll-ups that lack it', async () => {
      const events = await outboxEvents(source);
      const lost = events.find(({ envelope }) => envelope.aggregate_id === 'o3' && envelope.sequence === 2n)!;
      await sink.write(
        events.filter((event) => event !== lost),
        'all but one',
      );
      const { names, differing, equal } = await found();
      const place = `${lost.envelope.occurred_at.slice(0, 10)} order.webhook_received EUR`;
      expect(names).toEqual([
        `event missing ${lost.envelope.event_id}`,
        'order altered o3',
        `rollup_minute altered ${place}`,
        `rollup_day altered ${place}`,
      ]);
      expect({ differing, equal }).toEqual({ differing: 4, equal: false });
    });

    test('names an event that the source does not have', async () => {
      const events = await outboxEvents(source);
      const [first] = events;
      const invented = { ...first!.envelope, event_id: '019a0000-0000-7000-8000-000000000001', aggregate_id: 'o999' };
      await sink.write([...events, { envelope: invented, times: {} }], 'one more');
      const { names } = await found();
      expect(names).toEqual(expect.arrayContaining([`event extra ${invented.event_id}`, 'order extra o999']));
      expect(names).toHaveLength(4);
    });

    test.each([
      ['amount', { amount_minor: 1 }],
      ['status', { status: 'failed' }],
      ['currency', { currency: 'USD' }],
      ['verdict', { verdict: 'stale' }],
    ])('names an event with another %s, once', async (_name, change) => {
      const events = await outboxEvents(source);
      const altered = events.find(({ envelope }) => envelope.aggregate_id === 'o1')!;
      const payload = JSON.stringify({ ...JSON.parse(altered.envelope.payload), ...change });
      await sink.write(
        events.map((event) => (event === altered ? { ...event, envelope: { ...event.envelope, payload } } : event)),
        'altered',
      );
      const { names, differing } = await found();
      expect(names.filter((name) => name.startsWith('event'))).toEqual([`event altered ${altered.envelope.event_id}`]);
      expect(differing).toBe(names.length);
    });

    test('names a roll-up that was counted wrong', async () => {
      await sink.write(await outboxEvents(source), 'all');
      await clickhouse.client.command({
        query: `insert into rollup_day select * replace (events + 1 as events, version + 1 as version) from rollup_day final
                where status = 'success' and currency = 'JPY'`,
      });
      const { names } = await found();
      expect(names).toEqual([
        expect.stringMatching(/^rollup_day altered \d{4}-\d\d-\d\d order\.webhook_received JPY$/),
      ]);
    });

    test.each([
      ['rollup_minute', 'bucket + 60 as bucket'],
      ['rollup_minute', "'adyen' as provider"],
      ['rollup_day', "'failed' as status"],
      ['rollup_day', 'firsts + 1 as firsts'],
      ['rollup_day', 'after_amount_minor + 1 as after_amount_minor'],
    ])('names a %s whose totals are right and which is wrong in itself: %s', async (table, change) => {
      await sink.write(await outboxEvents(source), 'all');
      const { client } = clickhouse;
      const one = `${table} final where currency = 'JPY' and events > 0 order by bucket, status limit 1`;
      const moved = `insert into ${table} select * replace (${change}, version + 2 as version) from ${one}`;
      const left = `insert into ${table} select * replace (0 as events, 0 as amount_minor, 0 as after_amount_minor,
                      0 as firsts, 0 as first_amount_minor, version + 1 as version) from ${one}`;
      const before = (await client.query({ query: `select * from ${one}`, format: 'JSONEachRow' })).json();
      expect(await before).toHaveLength(1);
      for (const query of [moved, ...(/bucket|provider|status/.test(change.split(' as ')[1]!) ? [left] : [])]) {
        await client.command({ query });
      }
      const { names } = await found();
      expect(names).toEqual([expect.stringMatching(new RegExp(`^${table} altered .* JPY$`))]);
    });

    test('an empty store lacks everything, and only so much is listed', async () => {
      const events = await outboxEvents(source);
      const result = await reconcile(source, clickhouse.client, 10);
      expect(result.differences).toHaveLength(10);
      expect(result.differing).toBeGreaterThanOrEqual(events.length);
    });
  });
});
