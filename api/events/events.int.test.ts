import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createQueryBuilder } from '../../kernel/postgres/query-builder.ts';
import { seedEvents } from '../../test/api/events.ts';
import { type RunningApi, startApi } from '../../test/api/running-api.ts';
import { eventsQuery } from './query.ts';
import { type EventFilters, listEventsQuery } from './schemas.ts';

const start = new Date(Date.UTC(2026, 2, 1));
const hour = 3_600_000;
const total = 240;

describe.each(['plain', 'partitioned'] as const)('on %s', (topology) => {
  let api: RunningApi;

  beforeAll(async () => {
    api = await startApi({ topology });
    if (topology === 'partitioned') {
      for (const table of ['order_events', 'dispute_events']) {
        await api.query(`select ensure_partitions($1, '2026-03-01', '2026-03-10')`, [table]);
      }
    }
    await seedEvents(api.query, { count: total, from: start, everyMs: hour });
  });

  afterAll(() => api.close());

  const numbers = (body: { data: { data: { n: number } }[] }) => body.data.map((event) => event.data.n);
  const get = (query: string) => api.call('GET', `/api/v1/events?${query}`);
  const at = (hours: number) => new Date(start.getTime() + hours * hour).toISOString();

  test('events of both aggregates come in one order', async () => {
    const { body, headers } = await get('limit=4');
    expect(body).toMatchObject({
      object: 'event_list',
      data: [
        { aggregate: 'order', dispute_id: null, order_id: 'ord_0', kind: 'webhook_received', sequence: 1 },
        { aggregate: 'dispute', dispute_id: 'dp_1', order_id: 'ord_1', kind: 'webhook_opened', sequence: 2 },
        { aggregate: 'order' },
        { aggregate: 'dispute' },
      ],
      page: { has_more: true },
    });
    expect(body.data[1].created_at).toBe('2026-03-01T01:00:00.000000Z');
    expect(body.data[0]).not.toHaveProperty('sort_time');
    expect(headers.get('x-read-node')).toBe('primary');
  });

  test.each(['asc', 'desc'])('pages of %s order show every event once', async (order) => {
    const seen: number[] = [];
    let cursor: string | null = null;
    do {
      const { status, body } = await get(`order=${order}&limit=37${cursor ? `&cursor=${cursor}` : ''}`);
      expect(status).toBe(200);
      seen.push(...numbers(body));
      cursor = body.page.next_cursor;
    } while (cursor);
    const all = Array.from({ length: total }, (_, n) => n);
    expect(seen).toEqual(order === 'asc' ? all : all.toReversed());
  });

  test('time_from is inclusive and time_to exclusive, to the microsecond', async () => {
    expect(numbers((await get(`time_from=${at(10)}&time_to=${at(13)}`)).body)).toEqual([10, 11, 12]);
    const after = at(10).replace('000Z', '000001Z');
    expect(numbers((await get(`time_from=${after}&time_to=${after.replace('T10', 'T12')}`)).body)).toEqual([11, 12]);
    const withOffset = encodeURIComponent('2026-03-01T12:00:00+02:00');
    expect(numbers((await get(`time_from=${withOffset}&limit=1`)).body)).toEqual([10]);
  });

  test('kinds, orders and disputes narrow the list, repeated or with commas', async () => {
    const kinds = async (query: string) =>
      new Set((await get(query)).body.data.map((event: { kind: string }) => event.kind));
    expect(await kinds('kind=hold_set')).toEqual(new Set(['hold_set']));
    expect(await kinds('kind=hold_set&kind=evidence_added')).toEqual(new Set(['hold_set', 'evidence_added']));
    expect(await kinds('kind=hold_set,evidence_added')).toEqual(new Set(['hold_set', 'evidence_added']));
    const ofOrders = (await get('order_ids=ord_1,ord_2&limit=1000')).body.data;
    expect(new Set(ofOrders.map((event: { order_id: string }) => event.order_id))).toEqual(new Set(['ord_1', 'ord_2']));
    const ofDispute = (await get('dispute_ids=dp_3&limit=1000')).body.data;
    expect(ofDispute).toHaveLength(24);
    expect(ofDispute.every((event: { dispute_id: string }) => event.dispute_id === 'dp_3')).toBe(true);
    expect((await get('dispute_ids=dp_3&kind=hold_set')).body.data).toEqual([]);
  });

  test('events of one instant are neither repeated nor skipped', async () => {
    const instant = new Date(Date.UTC(2026, 2, 9, 12, 30));
    await seedEvents(api.query, { count: 21, from: instant, everyMs: 0, prefix: 'same_' });
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query = `time_from=${instant.toISOString()}&time_to=${new Date(instant.getTime() + 1).toISOString()}&limit=4`;
      const { body } = await get(`${query}${cursor ? `&cursor=${cursor}` : ''}`);
      seen.push(...body.data.map((event: { event_id: string }) => event.event_id));
      cursor = body.page.next_cursor;
    } while (cursor);
    expect(new Set(seen).size).toBe(21);
    expect(seen).toHaveLength(21);
  });

  test.each([
    'kind=unknown',
    'kind=',
    'order_ids=a%20b',
    `order_ids=${Array.from({ length: 101 }, (_, i) => i).join(',')}`,
    'time_from=yesterday',
    'time_from=2026-03-01',
    'time_from=2026-03-01T00:00:00',
    'time_from=0000-01-01T00:00:00Z',
    'time_from=2026-02-30T00:00:00Z',
    `time_from=${at(2)}&time_to=${at(2)}`,
    `time_from=${at(2)}&time_to=${at(1)}`,
    'order=random',
    'limit=1001',
    'limit=0',
    'user_id=u',
    'cursor=forged',
  ])('GET /events?%s is refused', async (query) => {
    expect((await get(query)).status).toBe(400);
    const exported = await api.call('GET', `/api/v1/events/export?${query}`);
    expect(exported.status).toBe(400);
    expect(exported.headers.get('content-type')).toContain('application/json');
  });

  test('a cursor is bound to its filters', async () => {
    const { body } = await get('kind=hold_set&limit=1');
    const cursor = body.page.next_cursor;
    expect((await get(`kind=hold_set&limit=5&cursor=${cursor}`)).status).toBe(200);
    for (const query of ['limit=1', 'kind=webhook_received', 'kind=hold_set&order=desc']) {
      expect((await get(`${query}&cursor=${cursor}`)).body.error.code).toBe('invalid_cursor');
    }
  });

  test('other methods are 405', async () => {
    expect((await api.call('POST', '/api/v1/events', { body: {} })).status).toBe(405);
    expect((await api.call('DELETE', '/api/v1/events/export')).headers.get('allow')).toBe('GET, HEAD');
  });

  async function plan(given: Record<string, unknown>, position?: string[]): Promise<string> {
    const { limit, cursor: _cursor, ...filters } = listEventsQuery.parse(given);
    const query = eventsQuery(createQueryBuilder(), filters as EventFilters, { position, limit: limit + 1 })!.compile();
    const rows = await api.query(`explain (costs off) ${query.sql}`, [...query.parameters]);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  }

  test('a time range, or a cursor, prunes partitions in both branches', async () => {
    const partitions = (text: string) => [...new Set(text.match(/(order|dispute)_events_\w*\d{8}/g))].sort();
    const ofDays = (...days: number[]) =>
      topology === 'plain'
        ? []
        : ['dispute', 'order'].flatMap((name) => days.map((day) => `${name}_events_p2026030${day}`));
    const range = { time_from: '2026-03-03T00:00:00Z', time_to: '2026-03-05T00:00:00Z' };
    expect(partitions(await plan(range))).toEqual(ofDays(3, 4));
    const next = await plan({ ...range }, ['2026-03-04T07:00:00.000000Z', '00000000-0000-7000-8000-000000000000']);
    expect(partitions(next)).toEqual(ofDays(4));
  });

  test('a page is read by index and merged, without a sort', async () => {
    await api.query('analyze');
    const text = await plan({ time_from: at(0), time_to: at(200), limit: '10' });
    expect(text).toContain('Merge Append');
    expect(text).not.toMatch(/^\s*(->\s*)?Sort$/m);
  });
});
