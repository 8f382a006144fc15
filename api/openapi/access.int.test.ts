import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAccessTokens } from '../../kernel/access/access-tokens.ts';
import { providers } from '../../kernel/providers/index.ts';
import { type ApiAnswer, type RunningApi, startApi } from '../../test/api/running-api.ts';
import { createSeed } from '../../test/api/seed.ts';
import { apiPaths } from './api-paths.ts';
import { openApiDocument } from './document.ts';

/*
 * Every operation of the document without a token, with bad ones, with the wrong role, and as another user. One that is
 * added later is protected by where it is mounted; what a customer may see of it has to be said here, or it fails.
 */

interface Operation {
  description?: string;
  security: Record<string, string[]>[];
  responses: Record<string, unknown>;
  tags: string[];
}

const document = openApiDocument(apiPaths(providers));
const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
  Object.entries(item as Record<string, Operation>).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path,
    operation,
  })),
);
type Entry = (typeof operations)[number];
const inApi = operations.filter(({ path }) => path.startsWith('/api/v1/'));
const isOpen = ({ operation }: Entry) => operation.security.length === 0;
const withToken = () => inApi.filter((entry) => !isOpen(entry));
const isForOperators = ({ operation }: Entry) => operation.description?.includes('Needs the role operator') ?? false;

/** What takes requests without a token: nothing is added to this list without a reason. */
const open = [
  'POST /api/v1/auth/register',
  'POST /api/v1/auth/login',
  'POST /api/v1/auth/refresh',
  'POST /api/v1/auth/logout',
];

/** What a customer may ask, with the path that names something of user_1; a list and a transfer name nothing there. */
const forCustomers: Record<string, string> = {
  'GET /api/v1/auth/me': '/auth/me',
  'GET /api/v1/orders': '/orders',
  'GET /api/v1/orders/{id}': '/orders/ord_1',
  'GET /api/v1/orders/{id}/events': '/orders/ord_1/events',
  'GET /api/v1/disputes': '/disputes',
  'GET /api/v1/disputes/{id}': '/disputes/dp_1',
  'POST /api/v1/accounts': '/accounts',
  'GET /api/v1/accounts/{id}': '/accounts/$account',
  'GET /api/v1/accounts/{id}/balance': '/accounts/$account/balance',
  'GET /api/v1/accounts/{id}/transactions': '/accounts/$account/transactions',
  'POST /api/v1/accounts/{id}/top-ups': '/accounts/$account/top-ups',
  'POST /api/v1/accounts/{id}/withdrawals': '/accounts/$account/withdrawals',
  'POST /api/v1/accounts/{id}/holds': '/accounts/$account/holds',
  'POST /api/v1/transfers': '/transfers',
  'GET /api/v1/transfers/{id}': '/transfers/$transfer',
  'GET /api/v1/holds/{id}': '/holds/$hold',
  'DELETE /api/v1/holds/{id}': '/holds/$hold',
  'GET /api/v1/payments': '/payments',
  'GET /api/v1/payments/{id}': '/payments/$payment',
  'GET /api/v1/payments/{id}/events': '/payments/$payment/events',
  'POST /api/v1/payments': '/payments',
  'POST /api/v1/payments/{id}/refund': '/payments/$payment/refund',
  'POST /api/v1/payments/{id}/cancel': '/payments/$payment/cancel',
  'GET /api/v1/notifications': '/notifications',
  'GET /api/v1/notifications/preferences': '/notifications/preferences',
  'POST /api/v1/notifications/preferences': '/notifications/preferences',
  'GET /api/v1/webhook-endpoints': '/webhook-endpoints',
  'POST /api/v1/webhook-endpoints': '/webhook-endpoints',
  'DELETE /api/v1/webhook-endpoints/{id}': '/webhook-endpoints/$endpoint',
};

let api: RunningApi;
/** Things of user_1, by the names that stand for them in `forCustomers`. */
const things: Record<string, string> = {};
let seed: ReturnType<typeof createSeed>;
const now = new Date();

beforeAll(async () => {
  api = await startApi({ topology: 'plain' });
  seed = createSeed(api.webhookPool, 'plain');
  await seed.order({ orderId: 'ord_1', userId: 'user_1' });
  await seed.order({ orderId: 'ord_2', userId: 'user_2' });
  await seed.dispute({ disputeId: 'dp_1', orderId: 'ord_1' });
  const money = { amount_minor: 100, currency: 'EUR' };
  things.account = (await command('user_1', '/accounts', { currency: 'EUR' })).body.data.account_id;
  const paid = await command('user_1', `/accounts/${things.account}/top-ups`, { ...money, amount_minor: 1_000 });
  things.transfer = paid.body.data.transfer_id;
  things.hold = (await command('user_1', `/accounts/${things.account}/holds`, money)).body.data.hold_id;
  const payment = { ...money, account_id: things.account };
  things.payment = (await command('user_1', '/payments', payment)).body.data.payment_id;
  const endpoint = { url: 'https://shop.example.com/hook' };
  things.endpoint = (await command('user_1', '/webhook-endpoints', endpoint)).body.data.endpoint_id;
  await api.query(
    `insert into notifications (notification_id, type, fact, event_id, user_id, channel, recipient_id, language, data, occurred_at, status)
     values (gen_random_uuid(), 'order.paid', 'ord_1', gen_random_uuid(), 'user_1', 'email', 'user_1', 'en', '{}', now(), 'pending')`,
  );
  things.stranger = (await command('stranger', '/accounts', { currency: 'EUR' })).body.data.account_id;
});
afterAll(() => api.close());

const tokenOf = (userId: string, role: 'customer' | 'operator' | 'admin' = 'customer') =>
  api.tokens.sign({ userId, role }, 60);

/** A POST as a customer, with an idempotency key of its own. */
async function command(userId: string, path: string, body: object): Promise<ApiAnswer> {
  const headers = { 'idempotency-key': crypto.randomUUID() };
  return api.call('POST', `/api/v1${path}`, { token: await tokenOf(userId), headers, body });
}

/** With a body that is none, so that a request which gets past the check is refused for that, and changes nothing. */
function ask({ method, path }: Entry, token: string | null): Promise<ApiAnswer> {
  const body = method === 'GET' ? {} : { body: [] };
  return api.call(method, path.replaceAll(/\{\w+\}/g, 'ord_1'), { token, ...body });
}

test('the document says of every operation whether it needs a token, and only a few need none', () => {
  expect(inApi.length).toBeGreaterThan(20);
  expect(
    inApi
      .filter(isOpen)
      .map(({ name }) => name)
      .sort(),
  ).toEqual([...open].sort());
  for (const { name, operation } of withToken()) {
    expect({ name, security: operation.security }).toEqual({ name, security: [{ bearer: [] }] });
    expect(Object.keys(operation.responses), name).toContain('401');
  }
});

describe.each(withToken())('$name', (entry) => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = () => {
    const seconds = Math.floor(now.getTime() / 1_000);
    return { iss: 'payments-lab', aud: 'payments-lab-api', sub: 'u', role: 'admin', iat: seconds, exp: seconds + 600 };
  };
  const byOther = createAccessTokens({ secrets: ['another secret with thirty-two bytes'], now: () => now });
  const byHand = (header: object, changes: object = {}) => {
    const text = `${part(header)}.${part({ ...claims(), ...changes })}`;
    return `${text}.${createHmac('sha256', 'a secret of the tests with 32 bytes').update(text).digest('base64url')}`;
  };

  test.each<[string, () => string | Promise<string> | null]>([
    ['no token', () => null],
    ['a token that is none', () => 'abc'],
    ['a token of another key', () => byOther.sign({ userId: 'u', role: 'admin' }, 600)],
    ['alg none', () => `${part({ alg: 'none', typ: 'at+jwt' })}.${part(claims())}.`],
    ['an expired token', () => byHand({ alg: 'HS256', typ: 'at+jwt' }, { exp: 1_700_000_000 })],
    ['another audience', () => byHand({ alg: 'HS256', typ: 'at+jwt' }, { aud: 'x' })],
    ['an unknown role', () => byHand({ alg: 'HS256', typ: 'at+jwt' }, { role: 'root' })],
    ['a huge token', () => byHand({ alg: 'HS256', typ: 'at+jwt' }, { padding: 'x'.repeat(8_000) })],
  ])('%s is answered 401', async (_what, make) => {
    const answer = await ask(entry, await make());
    expect({ status: answer.status, code: answer.body.error?.code }).toEqual({ status: 401, code: 'unauthenticated' });
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="payments-lab"/);
  });

  test('the token by hand is right but for what was changed', async () => {
    expect((await ask(entry, byHand({ alg: 'HS256', typ: 'at+jwt' }))).status).not.toBe(401);
  });
});

test.each(withToken().filter(isForOperators))('$name is for operators', async (entry) => {
  const refused = await ask(entry, await tokenOf('user_1'));
  expect({ status: refused.status, code: refused.body.error?.code }).toEqual({ status: 403, code: 'forbidden' });
  for (const role of ['operator', 'admin'] as const) {
    expect([401, 403]).not.toContain((await ask(entry, await tokenOf('op_1', role))).status);
  }
});

const ofCustomers = withToken().filter((entry) => !isForOperators(entry));

/** The path in `forCustomers` with the id of a thing, or with one that no thing has. */
function pathFor(name: string, ids: Record<string, string>): string {
  const path = forCustomers[name];
  if (path === undefined) throw new Error(`${name}: say in forCustomers what a customer may see`);
  return `/api/v1${path.replace(/\$(\w+)/, (_match, thing: string) => ids[thing]!)}`;
}

test.each(ofCustomers.filter(({ method }) => method === 'GET'))(
  '$name shows a customer its own things only',
  async ({ name, path }) => {
    const as = async (userId: string, query = '') =>
      api.call('GET', `${pathFor(name, things)}${query}`, { token: await tokenOf(userId) });
    const [own, other] = [await as('user_1'), await as('stranger')];
    expect(own.status).toBe(200);
    if (path.includes('{')) {
      expect(other.status).toBe(404);
      const id = crypto.randomUUID();
      const none = { account: 'acc_none', transfer: id, hold: id, payment: id };
      const absentPath = pathFor(name, none).replace('_1', '_none');
      const absent = await api.call('GET', absentPath, { token: await tokenOf('stranger') });
      // Nothing tells another user's thing from one that is not there.
      expect({ ...absent.body, trace_id: null }).toEqual({ ...other.body, trace_id: null });
      expect([...absent.headers.keys()]).toEqual([...other.headers.keys()]);
    } else if (Array.isArray(own.body.data)) {
      expect(own.body.data.length).toBeGreaterThan(0);
      for (const { user_id } of own.body.data) expect(user_id).toBe('user_1');
      expect([other.status, other.body.data]).toEqual([200, []]);
      const asked = await as('stranger', '?user_id=user_1');
      expect([asked.status, asked.body.data, asked.body.page.has_more]).toEqual([200, [], false]);
      expect((await as('user_1', '?user_id=user_1')).body.data).toEqual(own.body.data);
    } else {
      expect([own.body.data.user_id, other.body.data.user_id]).toEqual(['user_1', 'stranger']);
    }
  },
);

test.each(ofCustomers.filter(({ method }) => method !== 'GET'))(
  '$name changes nothing of another user',
  async ({ name, method }) => {
    const money = { amount_minor: 10, currency: 'EUR' };
    const fromOther = { ...money, from_account_id: things.account, to_account_id: things.stranger };
    const bodies: Record<string, object> = {
      'POST /api/v1/accounts': { currency: 'EUR', user_id: 'user_1' },
      'POST /api/v1/transfers': fromOther,
      'POST /api/v1/payments': { ...money, account_id: things.account },
      'POST /api/v1/payments/{id}/refund': { amount_minor: 10 },
      'POST /api/v1/payments/{id}/cancel': {},
      'POST /api/v1/notifications/preferences': { user_id: 'user_1', email: false },
      'POST /api/v1/webhook-endpoints': { url: 'https://thief.example.com/hook', all_users: true },
    };
    const path = pathFor(name, things);
    const answer =
      method === 'DELETE'
        ? await api.call(method, path, { token: await tokenOf('stranger') })
        : await command('stranger', path.slice('/api/v1'.length), bodies[name] ?? money);
    // An account is opened under a name, and what every user has is the caller's own; everything else is there or not.
    const others: Record<string, number> = {
      'POST /api/v1/accounts': 403,
      'POST /api/v1/notifications/preferences': 400,
      'POST /api/v1/webhook-endpoints': 403,
    };
    expect(answer.status).toBe(others[name] ?? 404);
  },
);

describe('what needs no token', () => {
  test.each(inApi.filter(isOpen))('$name reads none either: one that is wrong does no harm', async (entry) => {
    for (const token of [null, 'abc']) {
      const answer = await ask(entry, token);
      expect({ status: answer.status, code: answer.body.error?.code }).toEqual({
        status: 400,
        code: 'invalid_request',
      });
    }
  });

  test.each(['/health/live', '/health/ready', '/metrics', '/openapi.json', '/docs', '/docs/start.js'])(
    '%s is open',
    async (path) => {
      for (const token of [null, 'abc']) expect((await api.call('GET', path, { token })).status).toBe(200);
    },
  );

  test('webhooks are signed, and a token is no signature', async () => {
    for (const entry of operations.filter(({ path }) => path.startsWith('/webhooks/'))) {
      const answer = await api.call('POST', entry.path, { body: {}, token: await tokenOf('op_1', 'admin') });
      expect({ path: entry.path, status: answer.status, code: answer.body.error?.code }).toEqual({
        path: entry.path,
        status: 401,
        code: 'invalid_signature',
      });
    }
  });

  test('a path below /api/v1 that does not exist tells so to those only who have a token', async () => {
    expect((await api.call('GET', '/api/v1/secrets', { token: null })).status).toBe(401);
    expect((await api.call('GET', '/api/v1/secrets')).status).toBe(404);
  });
});

test('an order that a guest made belongs to whom the guest turned out to be', async () => {
  await api.query(
    `insert into orders (order_id, user_id, customer_id, status, sequence, provider, provider_updated_at)
     values ('ord_guest', 'guest:ord_guest', 'user_1', 'created', 1, 'silvergate', now())`,
  );
  const as = async (userId: string, path: string) =>
    api.call('GET', `/api/v1${path}`, { token: await tokenOf(userId) });
  expect((await as('user_1', '/orders/ord_guest')).status).toBe(200);
  expect((await as('user_2', '/orders/ord_guest')).status).toBe(404);
  const { data } = (await as('user_1', '/orders')).body;
  expect(data.map(({ order_id }: { order_id: string }) => order_id).sort()).toEqual(['ord_1', 'ord_guest']);
});

test('a page of one customer can’t be continued by another', async () => {
  for (const orderId of ['ord_3', 'ord_4', 'ord_5']) await seed.order({ orderId, userId: 'user_3' });
  const page = async (userId: string, cursor = '') =>
    api.call('GET', `/api/v1/orders?limit=2${cursor && `&cursor=${cursor}`}`, { token: await tokenOf(userId) });
  const { next_cursor: cursor } = (await page('user_3')).body.page;
  expect((await page('user_3', cursor)).body.data.length).toBe(1);
  expect((await page('user_2', cursor)).body.error.code).toBe('invalid_cursor');
  expect((await api.call('GET', `/api/v1/orders?limit=2&cursor=${cursor}`)).body.error.code).toBe('invalid_cursor');
});
