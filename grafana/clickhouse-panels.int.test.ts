import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClickhouseSink } from '../cdc/clickhouse/clickhouse-sink.ts';
import { migrateClickhouse } from '../cdc/clickhouse/migrate.ts';
import { createEventFactory, type EventGiven } from '../test/clickhouse/events.ts';
import { missingClickhouse, startTestClickhouse, type TestClickhouse } from '../test/clickhouse/server.ts';
import { expandMacros } from '../test/metrics/clickhouse-macros.ts';
import { readDashboard } from '../test/metrics/promql.ts';
import { describeIf } from '../test/skip.ts';
import { dashboardNames, fileOf } from './generate.ts';

interface Panel {
  where: string;
  title: string;
  sql: string;
  format: number;
}

const panels: Panel[] = [];
for (const name of dashboardNames) {
  const dashboard = await readDashboard(fileOf(name));
  for (const { title, targets } of dashboard.panels) {
    for (const target of (targets ?? []) as { rawSql?: string; format?: number }[]) {
      if (target.rawSql === undefined) continue;
      const where = `${dashboard.title}: ${title}`;
      panels.push({ where, title: title!, sql: target.rawSql, format: target.format! });
    }
  }
}

const range = {
  from: new Date('2026-01-31T11:30:00Z'),
  to: new Date('2026-01-31T12:30:00Z'),
  intervalSeconds: 60,
};

/** An order that succeeds in each of two currencies, one that fails, and a dispute of each outcome. */
const story: EventGiven[] = [
  { id: 'o1', status: 'created', at: '2026-01-31T12:00:00Z' },
  { id: 'o1', status: 'success', sequence: 2, at: '2026-01-31T12:01:10Z', amountMinor: 1_250 },
  { id: 'o2', status: 'success', at: '2026-01-31T12:01:20Z', amountMinor: 700, currency: 'JPY', provider: 'adyen' },
  { id: 'o3', status: 'failed', at: '2026-01-31T12:02:00Z', provider: 'stripe' },
  { id: 'o4', status: 'success', at: '2026-01-31T09:00:00Z', amountMinor: 99_999 },
  { aggregate: 'dispute', id: 'd1', status: 'open', at: '2026-01-31T12:03:00Z' },
  { aggregate: 'dispute', id: 'd1', kind: 'provider_decision', status: 'won', sequence: 2, at: '2026-01-31T12:04:00Z' },
  { aggregate: 'dispute', id: 'd2', status: 'open', at: '2026-01-31T12:03:00Z', userId: 'user_2' },
  {
    aggregate: 'dispute',
    id: 'd2',
    userId: 'user_2',
    kind: 'provider_decision',
    status: 'lost',
    sequence: 2,
    at: '2026-01-31T12:05:00Z',
  },
  { aggregate: 'account', kind: 'opened', id: 'a1', at: '2026-01-31T12:00:00Z', amountMinor: null },
  { aggregate: 'transfer', kind: 'top_up', id: 't1', at: '2026-01-31T12:01:00Z', amountMinor: 500 },
  { aggregate: 'posting', kind: 'posted', id: 'external:EUR', at: '2026-01-31T12:01:00Z', amountMinor: -500 },
  {
    aggregate: 'posting',
    kind: 'posted',
    id: 'a1',
    at: '2026-01-31T12:01:00Z',
    amountMinor: 500,
    after: { amount_minor: 500 },
  },
  { aggregate: 'dispute', id: 'd3', status: 'open', at: '2026-01-31T12:06:00Z', userId: 'user_2' },
];

test('there are panels to try', () => {
  expect(panels.length).toBeGreaterThan(12);
});

describeIf('panels on ClickHouse', missingClickhouse(), () => {
  let clickhouse: TestClickhouse;

  beforeAll(async () => {
    clickhouse = await startTestClickhouse();
    await migrateClickhouse(clickhouse.client);
    const sink = createClickhouseSink({ client: clickhouse.client });
    const event = createEventFactory();
    await sink.write(
      story.map((given) => event(given)),
      'story',
    );
  });

  afterAll(() => clickhouse?.close());

  const ask = async (sql: string) => {
    const answer = await clickhouse.client.query({ query: expandMacros(sql, range), format: 'JSONCompact' });
    return answer.json<(string | number | null)[]>();
  };

  test.each(panels)('$where', async ({ sql, format }) => {
    const { data, meta } = await ask(sql);
    expect(data.length).toBeGreaterThan(0);
    expect(data.flat()).not.toContain(null);
    if (format !== 0) return;
    // A series needs a time, in order, and a number; Grafana takes text columns for labels.
    const types = meta!.map((column) => column.type);
    expect(meta![0]).toMatchObject({ name: 'time', type: expect.stringMatching(/^DateTime/) });
    expect(types.at(-1)).toMatch(/^(Nullable\()?(U?Int|Float)/);
    expect(types.slice(1, -1).filter((type) => !/^(LowCardinality\()?String/.test(type))).toEqual([]);
    const times = data.map((row) => String(row[0]));
    expect(times).toEqual([...times].sort());
  });

  const named = async (title: string) => (await ask(panels.find((panel) => panel.title === title)!.sql)).data;

  test('the numbers are right, and of the chosen time', async () => {
    expect(await named('Orders')).toEqual([[3]]);
    expect(await named('Payments that succeeded')).toEqual([[2 / 3]]);
    expect(await named('Disputes opened')).toEqual([[3]]);
    expect(await named('Disputes won')).toEqual([[0.5]]);
    expect(await named('Events')).toEqual([[13]]);
    expect(await named('Transfers')).toEqual([[1]]);
    expect(await named('Accounts opened')).toEqual([[1]]);
    expect(await named('Out of balance')).toEqual([[0]]);
    expect(await named('Money that is inside, by currency')).toEqual([['EUR', 5, 1]]);
    expect(await named('Newest event')).toEqual([[Date.parse('2026-01-31T12:06:00Z')]]);
  });

  test('amounts are in major units of each currency', async () => {
    const volume = await named('Volume by currency');
    expect(volume.map(([, currency, amount]) => [currency, amount])).toEqual([
      ['EUR', 12.5],
      ['JPY', 700],
    ]);
  });

  test('states are those after the newest event', async () => {
    expect(await named('Disputes by reason and state now')).toEqual([['fraud', 1, 1, 1]]);
    expect(await named('Users with the most disputes')).toEqual([
      ['user_2', 2, 1],
      ['user_1', 1, 0],
    ]);
  });

  test('a column that the tables lack is found', async () => {
    await expect(ask('select sum(amount) from rollup_minute final where $__timeFilter(bucket)')).rejects.toThrow();
    await expect(ask('select 1 where $__timeGroup(bucket)')).rejects.toThrow('$__timeGroup');
  });
});
