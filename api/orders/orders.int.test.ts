import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningApi, startApi } from '../../test/api/running-api.ts';
import { createSeed } from '../../test/api/seed.ts';

let api: RunningApi;
let seed: ReturnType<typeof createSeed>;

const day = (number: number) => new Date(Date.UTC(2026, 0, number));

beforeAll(async () => {
  api = await startApi({ topology: 'plain' });
  seed = createSeed(api.webhookPool, 'plain');
  for (let i = 1; i <= 7; i++) {
    await seed.order(
      { orderId: `ord_${i}`, userId: i % 2 ? 'user_odd' : 'user_even', status: i === 3 ? 'failed' : 'created' },
      day(i),
    );
  }
});

afterAll(() => api.close());

const ids = (rows: { order_id: string }[]) => rows.map((row) => row.order_id);

async function allPages(query: string): Promise<string[][]> {
  const pages: string[][] = [];
  let cursor = '';
  do {
    const { status, body } = await api.call('GET', `/api/v1/orders?${query}${cursor && `&cursor=${cursor}`}`);
    expect(status).toBe(200);
    pages.push(ids(body.data));
    expect(body.page.has_more).toBe(body.page.next_cursor !== null);
    cursor = body.page.next_cursor ?? '';
  } while (cursor);
  return pages;
}

test('an order is shown with its newest state', async () => {
  const { status, body, headers } = await api.call('GET', '/api/v1/orders/ord_3');
  expect(status).toBe(200);
  expect(body).toMatchObject({
    object: 'order',
    success: true,
    error: null,
    trace_id: headers.get('x-request-id'),
    data: {
      order_id: 'ord_3',
      user_id: 'user_odd',
      status: 'failed',
      amount_minor: 10_000,
      currency: 'EUR',
      on_hold: false,
      hold_reason: null,
      sequence: 2,
      created_at: '2026-01-03T00:00:00.000Z',
    },
  });
  expect(headers.get('x-read-node')).toBe('primary');
});

test('an amount beyond the safe integers is shown as digits', async () => {
  await seed.order({ orderId: 'ord_huge', userId: 'user_huge', amountMinor: 9_223_372_036_854_775_807n }, day(20));
  const { body } = await api.call('GET', '/api/v1/orders/ord_huge');
  expect(body.data.amount_minor).toBe('9223372036854775807');
});

test('an unknown order is 404', async () => {
  for (const path of ['/api/v1/orders/none', '/api/v1/orders/none/events']) {
    expect((await api.call('GET', path)).body).toMatchObject({ success: false, error: { code: 'not_found' } });
  }
});

test('pages continue each other in both directions and end', async () => {
  expect(await allPages('user_id=user_odd&limit=2')).toEqual([
    ['ord_7', 'ord_5'],
    ['ord_3', 'ord_1'],
  ]);
  expect(await allPages('user_id=user_even&limit=2&sort=created_at')).toEqual([['ord_2', 'ord_4'], ['ord_6']]);
});

test('orders that were created at one instant are neither repeated nor skipped', async () => {
  for (let i = 0; i < 5; i++) await seed.order({ orderId: `same_${i}`, userId: 'user_same' }, day(10));
  const pages = await allPages('user_id=user_same&limit=2');
  expect(pages.flat()).toEqual(['same_4', 'same_3', 'same_2', 'same_1', 'same_0']);
});

test('microseconds do not repeat or skip rows', async () => {
  for (let i = 0; i < 4; i++) await seed.order({ orderId: `micro_${i}`, userId: 'user_micro' }, day(11));
  await api.query(
    `update orders set created_at = created_at + right(order_id, 1)::int * interval '1 microsecond' where user_id = 'user_micro'`,
  );
  expect((await allPages('user_id=user_micro&limit=1&sort=created_at')).flat()).toEqual(
    [0, 1, 2, 3].map((i) => `micro_${i}`),
  );
});

test('filters combine', async () => {
  const { body } = await api.call('GET', '/api/v1/orders?status=failed&user_id=user_odd');
  expect(ids(body.data)).toEqual(['ord_3']);
  expect((await api.call('GET', '/api/v1/orders?status=failed&user_id=user_even')).body.data).toEqual([]);
});

test('events of an order come by sequence, page by page', async () => {
  const first = await api.call('GET', '/api/v1/orders/ord_3/events?limit=1');
  expect(first.body.data).toMatchObject([{ order_id: 'ord_3', sequence: 1, kind: 'webhook_received' }]);
  const cursor = first.body.page.next_cursor;
  const second = await api.call('GET', `/api/v1/orders/ord_3/events?limit=1&cursor=${cursor}`);
  expect(second.body).toMatchObject({ data: [{ sequence: 2 }], page: { has_more: false, next_cursor: null } });
  const other = await api.call('GET', `/api/v1/orders/ord_1/events?limit=1&cursor=${cursor}`);
  expect(other.body.error.code).toBe('invalid_cursor');
});

test.each([
  ['limit=0', 'invalid_request'],
  ['limit=201', 'invalid_request'],
  ['limit=1e2', 'invalid_request'],
  ['limit=-1', 'invalid_request'],
  ['limit=%EF%BC%91', 'invalid_request'],
  ['limit=99999999999999999999', 'invalid_request'],
  ['limit=1&limit=2', 'invalid_request'],
  ['status=open', 'invalid_request'],
  ['sort=amount_minor', 'invalid_request'],
  ['user_id=a%20b', 'invalid_request'],
  ['user_id=%00', 'invalid_request'],
  [`user_id=${'a'.repeat(65)}`, 'invalid_request'],
  ['unknown=1', 'invalid_request'],
  ['__proto__=1', 'invalid_request'],
  ['cursor=garbage', 'invalid_cursor'],
  ['cursor=', 'invalid_cursor'],
  [`cursor=${'A'.repeat(2_000)}`, 'invalid_cursor'],
])('GET /orders?%s is refused', async (query, code) => {
  const { status, body } = await api.call('GET', `/api/v1/orders?${query}`);
  expect({ status, code: body.error.code }).toEqual({ status: 400, code });
});

test('a cursor is refused with other filters or another sort', async () => {
  const { body } = await api.call('GET', '/api/v1/orders?user_id=user_odd&limit=1');
  const cursor = body.page.next_cursor;
  for (const query of ['user_id=user_even', 'limit=1', 'user_id=user_odd&sort=created_at']) {
    const answer = await api.call('GET', `/api/v1/orders?${query}&cursor=${cursor}`);
    expect(answer.body.error.code).toBe('invalid_cursor');
  }
  const withOtherLimit = await api.call('GET', `/api/v1/orders?user_id=user_odd&limit=3&cursor=${cursor}`);
  expect(ids(withOtherLimit.body.data)).toEqual(['ord_5', 'ord_3', 'ord_1']);
});

test.each(['%20', 'a%2Fb', '..%2F..', `${'a'.repeat(65)}`, '%00', "'or'1", '%E0%A4%A', '%EF%BC%91'])(
  'the malformed id %s is refused',
  async (id) => {
    expect((await api.call('GET', `/api/v1/orders/${id}`)).status).toBe(400);
    expect((await api.call('GET', `/api/v1/orders/${id}/events`)).status).toBe(400);
  },
);

test.each([
  ['POST', '/orders', 'GET, HEAD'],
  ['DELETE', '/orders/ord_1', 'GET, HEAD'],
  ['PUT', '/orders/ord_1/events', 'GET, HEAD'],
  ['GET', '/orders/ord_1/hold', 'POST'],
  ['PATCH', '/orders/ord_1/capture', 'POST'],
])('%s %s is 405 with Allow', async (method, path, allow) => {
  const { status, headers, body } = await api.call(method, `/api/v1${path}`);
  expect({ status, allow: headers.get('allow'), code: body.error.code }).toEqual({
    status: 405,
    allow,
    code: 'method_not_allowed',
  });
});

test('a printable request id of the caller is kept in the answer and in the outbox, a longer one is not', async () => {
  const id = `caller "7" \\ {"sent_at_ms": "1"} ${'~'.repeat(90)}`;
  const headers = { 'X-Request-ID': id };
  const kept = await api.call('POST', '/api/v1/orders/ord_1/hold', {
    headers,
    body: { action: 'set', reason: 'risk' },
  });
  expect([kept.status, kept.headers.get('x-request-id'), kept.body.trace_id]).toEqual([200, id, id]);
  const [row] = await api.query(
    `select headers->>'request_id' as id from outbox where aggregate_id = 'ord_1' order by sequence desc`,
  );
  expect(row!.id).toBe(id);
  const long = await api.call('GET', '/api/v1/orders/ord_1', { headers: { 'X-Request-ID': 'x'.repeat(129) } });
  expect(long.body.trace_id).toMatch(/^[0-9a-f-]{36}$/);
});

test('a token that cannot be read is named in the answer, also where there is one node only', async () => {
  const reasonFor = async (token: Record<string, string>) =>
    (await api.call('GET', '/api/v1/orders/ord_1', { headers: token })).headers.get('x-read-reason');
  expect(await reasonFor({ 'X-Consistency-Token': 'garbage' })).toBe('unreadable_token');
  expect(await reasonFor({})).toBe('no_replica');
});

test('an order that its user made as a guest is among those of the user, and shown as theirs', async () => {
  await api.query(
    `insert into orders (order_id, user_id, customer_id, status, sequence, provider, provider_updated_at)
     values ('ord_guest', 'guest:ord_guest', 'user_guest', 'created', 1, 'stripe', now()),
            ('ord_named', 'user_guest', null, 'created', 1, 'stripe', now())`,
  );
  const { body } = await api.call('GET', '/api/v1/orders?user_id=user_guest');
  expect(ids(body.data).sort()).toEqual(['ord_guest', 'ord_named']);
  expect(body.data.map((order: { user_id: string }) => order.user_id)).toEqual(['user_guest', 'user_guest']);
  await api.query("delete from orders where order_id in ('ord_guest', 'ord_named')");
});
