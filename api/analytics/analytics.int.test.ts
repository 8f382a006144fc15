import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClickhouseSink } from '../../cdc/clickhouse/clickhouse-sink.ts';
import { type RunningApi, startApi } from '../../test/api/running-api.ts';
import { createSeed } from '../../test/api/seed.ts';
import { type SimulatedProvider, startProvider } from '../../test/api/simulated-provider.ts';
import { outboxEvents } from '../../test/clickhouse/outbox.ts';
import {
  migrateWithoutTtl,
  missingClickhouse,
  startTestClickhouse,
  type TestClickhouse,
} from '../../test/clickhouse/server.ts';
import { createDatabase, type TestDatabase } from '../../test/postgres/database.ts';
import { describeIf } from '../../test/skip.ts';

const path = (name: string, query: Record<string, string> = {}) =>
  `/api/v1/analytics/${name}?${new URLSearchParams(query)}`;
const range = { time_from: '2026-03-01T00:00:00Z', time_to: '2026-03-04T00:00:00Z' };

describeIf('analytics from ClickHouse and PostgreSQL', missingClickhouse(), () => {
  let clickhouse: TestClickhouse;
  let provider: SimulatedProvider;
  let database: TestDatabase;
  let api: RunningApi;
  let now = new Date('2026-03-02T10:00:00Z');
  let walletId = '';
  beforeAll(async () => {
    [clickhouse, provider] = await Promise.all([startTestClickhouse(), startProvider({ timeoutMs: 2_000 })]);
    await migrateWithoutTtl(clickhouse.client);
    database = await createDatabase('plain');
    api = await startApi({
      topology: 'plain',
      dsn: database.dsn,
      clickhouse: clickhouse.client,
      provider: provider.client,
      now: () => now,
    });
    await fill();
  });
  afterAll(async () => {
    await api?.close();
    await database?.drop();
    await provider?.close();
    await clickhouse?.close();
  });

  /** Orders and disputes of three users over two days, holds and captures by the API, and all of it in ClickHouse. */
  async function fill(): Promise<void> {
    const seed = createSeed(api.webhookPool, 'plain');
    const statuses = ['success', 'failed', 'created', 'success'] as const;
    for (let at = 0; at < 32; at++) {
      const time = new Date(Date.parse('2026-03-01T22:30:00Z') + at * 7 * 60_000);
      const amount = { amountMinor: at === 3 ? 9_007_199_254_740_993n : 10_000n + BigInt(at) };
      const money =
        at % 8 === 5 ? { amountMinor: null, currency: null } : { ...amount, currency: at % 3 ? 'EUR' : 'JPY' };
      await seed.order({ orderId: `o${at}`, userId: `user_${at % 3}`, status: statuses[at % 4]!, ...money }, time);
      if (at % 3 && at % 5 === 0) {
        const status = (['open', 'won', 'lost'] as const)[at % 3]!;
        await seed.dispute({ disputeId: `d${at}`, orderId: `o${at}`, status }, time);
      }
    }
    // A second provider, as if it had sent every fourth order.
    const second = `'{o4,o8,o12,o16,o7}'`;
    await api.query(`update order_events set provider = 'adyen' where order_id = any (${second})`);
    await api.query(`update outbox set payload = jsonb_set(payload, '{provider}', '"adyen"')
                     where aggregate_type = 'order' and aggregate_id = any (${second})`);
    for (const order of ['o2', 'o6', 'o10']) {
      const hold = await api.call('POST', `/api/v1/orders/${order}/hold`, { body: { action: 'set', reason: 'risk' } });
      expect(hold.status).toBe(200);
    }
    await api.call('POST', '/api/v1/orders/o2/hold', { body: { action: 'clear' } });
    await api.call('POST', '/api/v1/orders/o2/hold', { body: { action: 'set', reason: 'manual_review' } });
    for (const [order, amount_minor] of [
      ['o14', 5_000],
      ['o14', 10],
      ['o22', 10_022],
    ] as const) {
      const body = { idempotency_key: `${order}-${amount_minor}`, amount_minor, currency: 'EUR' };
      expect((await api.call('POST', `/api/v1/orders/${order}/capture`, { body })).status).toBeLessThan(300);
    }
    await moveMoney();
    const client = new Client({ connectionString: database.dsn });
    await client.connect();
    const events = await outboxEvents(client);
    await client.end();
    const sink = createClickhouseSink({ client: clickhouse.client });
    await sink.write(events, 'all');
    await sink.write(events.slice(10, 50), 'some of them again');
  }

  /** Two wallets and a merchant's account on two days. */
  async function moveMoney(): Promise<void> {
    const latest = now;
    let count = 0;
    const post = async (at: string, target: string, body: Record<string, unknown>) => {
      now = new Date(at);
      count += 1;
      const answer = await api.call('POST', `/api/v1/${target}`, {
        body,
        headers: { 'idempotency-key': `money-${count}` },
      });
      expect(answer.status).toBe(201);
      return answer.body.data.account_id as string;
    };
    const open = (currency: string, kind: string) => post('2026-03-01T09:00:00Z', 'accounts', { currency, kind });
    const wallet = await open('EUR', 'wallet');
    const yen = await open('JPY', 'wallet');
    const shop = await open('EUR', 'merchant');
    const topUp = (at: string, amount_minor: number) =>
      post(at, `accounts/${wallet}/top-ups`, { amount_minor, currency: 'EUR' });
    const pay = (at: string) =>
      post(at, 'transfers', { from_account_id: wallet, to_account_id: shop, amount_minor: 250, currency: 'EUR' });
    await topUp('2026-03-01T10:00:00.123Z', 9_000);
    await topUp('2026-03-01T10:00:59.999Z', 1_000);
    await post('2026-03-01T11:00:00Z', `accounts/${yen}/top-ups`, { amount_minor: 500, currency: 'JPY' });
    await pay('2026-03-01T12:00:00Z');
    await topUp('2026-03-02T08:00:00Z', 5);
    await pay('2026-03-02T09:00:00Z');
    await pay('2026-03-02T09:00:01Z');
    await post('2026-03-02T09:30:00Z', `accounts/${shop}/withdrawals`, { amount_minor: 700, currency: 'EUR' });
    walletId = wallet;
    now = latest;
  }

  async function both(name: string, query: Record<string, string>) {
    const answers = await Promise.all(
      ['clickhouse', 'postgres'].map((source) => api.call('GET', path(name, { ...query, source }))),
    );
    for (const answer of answers)
      expect({ status: answer.status, error: answer.body.error }).toEqual({ status: 200, error: null });
    return answers.map(({ body: { data } }) => data);
  }

  test.each([
    ['volume', {}],
    ['volume', { granularity: 'minute', time_from: '2026-03-01T22:30:00Z', time_to: '2026-03-02T02:00:00Z' }],
    ['volume', { granularity: 'hour' }],
    ['volume', { granularity: 'hour', currency: 'JPY' }],
    ['volume', { provider: 'adyen' }],
    ['volume', { currency: 'EUR', provider: 'silvergate', granularity: 'hour' }],
    ['disputes', {}],
    ['disputes', { granularity: 'hour', currency: 'EUR' }],
    ['funnel', {}],
    ['funnel', { currency: 'EUR' }],
    ['funnel', { time_from: '2026-03-01T22:30:00Z', time_to: '2026-03-01T23:30:00Z', granularity: 'minute' }],
    ['top-users', { currency: 'EUR' }],
    ['top-users', { currency: 'JPY', limit: '2' }],
    ['transfers', {}],
    ['transfers', { granularity: 'hour', currency: 'EUR' }],
    ['transfers', { granularity: 'minute', time_from: '2026-03-01T10:00:00Z', time_to: '2026-03-02T10:00:00Z' }],
    ['balances', {}],
    ['balances', { granularity: 'hour' }],
  ])('both sources agree on %s %j', async (name, query) => {
    const account: Record<string, string> = name === 'balances' ? { account_id: walletId } : {};
    const [fromClickhouse, fromPostgres] = await both(name, { ...range, ...query, ...account });
    expect(fromClickhouse.rows.length).toBeGreaterThan(0);
    expect({ ...fromClickhouse, source: 'either' }).toEqual({ ...fromPostgres, source: 'either' });
  });

  test('the figures are those of the events', async () => {
    const [volume] = await both('volume', range);
    const total = (name: string) =>
      volume.rows.reduce((sum: number, row: Record<string, number>) => sum + row[name]!, 0);
    expect([total('orders_created'), total('orders_succeeded'), total('orders_failed')]).toEqual([32, 16, 8]);
    const jpy = volume.rows.find(
      (row: Record<string, string>) =>
        row.currency === 'JPY' && row.bucket!.startsWith('2026-03-01') && row.provider === 'silvergate',
    );
    expect(jpy).toMatchObject({
      bucket: '2026-03-01T00:00:00.000Z',
      provider: 'silvergate',
      volume_minor: '9007199254750993',
    });
    const [funnel] = await both('funnel', range);
    const eur = funnel.rows.find(({ currency }: { currency: string }) => currency === 'EUR');
    expect(eur).toMatchObject({ orders_held: 2, orders_released: 1, orders_captured: 2, captured_minor: 15_032 });
    const [users] = await both('top-users', { ...range, currency: 'EUR' });
    const volumes = users.rows.map(({ volume_minor }: { volume_minor: number }) => volume_minor);
    expect(volumes).toEqual(volumes.toSorted((a: number, b: number) => b - a));
    const [disputes] = await both('disputes', range);
    expect(disputes.rows.reduce((sum: number, row: { disputes_opened: number }) => sum + row.disputes_opened, 0)).toBe(
      4,
    );
  });

  test('money: what was moved each day, and what an account had at the end of it', async () => {
    const [transfers] = await both('transfers', { ...range, currency: 'EUR' });
    const figures = transfers.rows.map((row: Record<string, unknown>) => [
      String(row.bucket).slice(0, 10),
      row.kind,
      row.transfers,
      row.volume_minor,
    ]);
    expect(figures).toEqual([
      ['2026-03-01', 'top_up', 2, 10_000],
      ['2026-03-01', 'transfer', 1, 250],
      ['2026-03-02', 'top_up', 1, 5],
      ['2026-03-02', 'transfer', 2, 500],
      ['2026-03-02', 'withdrawal', 1, 700],
    ]);
    const [balances] = await both('balances', { ...range, account_id: walletId });
    expect(balances.rows).toMatchObject([
      { postings: 3, change_minor: 9_750, balance_minor: 9_750 },
      { postings: 3, change_minor: -495, balance_minor: 9_255 },
    ]);
  });

  test.each(['volume', 'disputes', 'funnel', 'transfers'])('%s of the first days that there can be', async (name) => {
    const [fromClickhouse, fromPostgres] = await both(name, { time_to: '1970-01-02T00:00:00Z' });
    expect(fromClickhouse).toMatchObject({ time_from: '1970-01-01T00:00:00.000Z', rows: [] });
    expect(fromPostgres).toMatchObject({ rows: [] });
  });

  test('freshness knows the newest event, and with ClickHouse the stages', async () => {
    now = new Date('2026-03-02T10:00:30Z');
    const [fromClickhouse, fromPostgres] = await both('freshness', { window_minutes: '60' });
    const { stages, slow_stage, source: _source, ...figures } = fromClickhouse;
    expect(fromPostgres).toEqual({ ...figures, source: 'postgres', stages: [], slow_stage: null });
    expect(figures).toMatchObject({ newest_event_at: '2026-03-02T10:00:00.000Z', age_ms: 30_000 });
    expect(figures.events_in_window).toBeGreaterThan(5);
    expect(stages.map(({ stage }: { stage: string }) => stage)).toEqual(['sunk', 'total']);
    expect(slow_stage).toBe('sunk');
  });
});

describe('analytics without ClickHouse', () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await startApi({ topology: 'partitioned', now: () => new Date('2026-03-02T10:00:00Z') });
  });
  afterAll(() => api.close());

  test.each(['volume', 'disputes', 'funnel', 'transfers', 'freshness'])(
    '%s says what is missing, and PostgreSQL answers',
    async (name) => {
      const answer = await api.call('GET', path(name));
      expect(answer).toMatchObject({ status: 503, body: { error: { code: 'service_unavailable' } } });
      expect(answer.body.error.message).toContain('source=postgres');
      expect((await api.call('GET', path(name, { source: 'postgres' }))).status).toBe(200);
    },
  );

  test('a ClickHouse that does not answer is 503 too', async () => {
    const clickhouse = createClient({ url: 'http://127.0.0.1:9', log: { level: ClickHouseLogLevel.OFF } });
    const cut = await startApi({ topology: 'partitioned', clickhouse });
    expect(await cut.call('GET', path('volume'))).toMatchObject({
      status: 503,
      body: { error: { code: 'service_unavailable' } },
    });
    await cut.close();
    await clickhouse.close();
  });

  test.each([
    ['volume', { granularity: 'week' }],
    ['volume', { currency: 'eur' }],
    ['volume', { provider: 'unknown' }],
    ['volume', { source: 'mysql' }],
    ['volume', { unknown: '1' }],
    ['volume', { time_from: 'yesterday' }],
    ['volume', { time_from: '2026-03-02T00:00:00Z', time_to: '2026-03-01T00:00:00Z' }],
    ['volume', { granularity: 'minute', time_from: '2026-01-01T00:00:00Z', time_to: '2026-02-01T00:00:00Z' }],
    ['funnel', { provider: 'adyen' }],
    ['top-users', {}],
    ['balances', {}],
    ['transfers', { currency: 'EURO' }],
    ['top-users', { currency: 'EUR', limit: '0' }],
    ['top-users', { currency: 'EUR', limit: '1001' }],
    ['freshness', { window_minutes: '61' }],
  ])('%s refuses %j', async (name, query) => {
    const answer = await api.call('GET', path(name, { source: 'postgres', ...query } as Record<string, string>));
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'invalid_request' } } });
  });
});
