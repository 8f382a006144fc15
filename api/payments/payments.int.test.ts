import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPaymentStore, type PaymentStore } from '../../ledger/payments/store.ts';
import { type ApiAnswer, type RunningApi, startApi } from '../../test/api/running-api.ts';

let api: RunningApi;
let store: PaymentStore;
const bearer: Record<string, string> = {};
let keys = 0;

beforeAll(async () => {
  api = await startApi({ topology: 'plain' });
  store = createPaymentStore({ pool: api.webhookPool, now: () => new Date() });
  for (const userId of ['alice', 'bob']) {
    bearer[userId] = `Bearer ${await api.tokens.sign({ userId, role: 'customer' }, 600)}`;
  }
  bearer.operator = `Bearer ${await api.tokens.sign({ userId: 'op', role: 'operator' }, 600)}`;
});
afterAll(() => api.close());

type Asking = { as?: string; key?: string | undefined };

function get(path: string, as = 'alice'): Promise<ApiAnswer> {
  return api.call('GET', `/api/v1${path}`, { headers: { authorization: bearer[as]! } });
}

/** With a key of its own, unless told otherwise. */
function post(path: string, body: unknown, asking: Asking = {}): Promise<ApiAnswer> {
  keys += 1;
  const { as = 'alice', key = 'key' in asking ? asking.key : `k-${keys}` } = asking;
  const headers = { authorization: bearer[as]!, ...(key !== undefined && { 'idempotency-key': key }) };
  return api.call('POST', `/api/v1${path}`, { body, headers });
}

async function account(minor = 10_000, currency = 'EUR'): Promise<string> {
  const { body } = await post('/accounts', { currency });
  if (minor > 0) await post(`/accounts/${body.data.account_id}/top-ups`, { amount_minor: minor, currency });
  return body.data.account_id;
}

async function pay(accountId: string, minor = 1_000, changes: object = {}): Promise<ApiAnswer> {
  return post('/payments', { account_id: accountId, amount_minor: minor, currency: 'EUR', ...changes });
}

/** As the worker does when the provider has charged. */
async function complete(paymentId: string): Promise<void> {
  const lease = await leaseOf(paymentId);
  await store.change(paymentId, { type: 'begin', provider: 'card' }, lease);
  const command = { type: 'complete', reference: `crd_${paymentId}`, transferId: crypto.randomUUID() } as const;
  await store.change(paymentId, command, lease);
}

async function leaseOf(commandId: string) {
  const commands = await store.claim('test', { leaseMs: 60_000, limit: 1_000 });
  const { fence } = commands.find(({ command_id }) => command_id === commandId) ?? (await held(commandId));
  return { command_id: commandId, fence };
}

async function held(commandId: string): Promise<{ fence: bigint }> {
  const rows = await api.query('select fence from payment_commands where command_id = $1', [commandId]);
  return { fence: BigInt(rows[0]!.fence as string) };
}

const balance = async (id: string) => {
  const { balance_minor, held_minor } = (await get(`/accounts/${id}`)).body.data;
  return [balance_minor, held_minor];
};

const shown = ({ status, body }: ApiAnswer) => ({ status, code: body.error?.code });

test('the money is reserved with the answer, and taken when the provider has charged', async () => {
  const id = await account();
  const made = await pay(id, 4_000, { reference: 'ord_1' });
  expect(made.status).toBe(202);
  expect(made.headers.get('x-consistency-token')).toBeTruthy();
  expect(made.body.data).toMatchObject({
    status: 'pending',
    provider: 'card',
    amount_minor: 4_000,
    reference: 'ord_1',
  });
  const { payment_id, hold_id } = made.body.data;
  expect(await balance(id)).toEqual([10_000, 4_000]);
  expect(shown(await pay(id, 6_001))).toEqual({ status: 422, code: 'insufficient_funds' });
  const released = await api.call('DELETE', `/api/v1/holds/${hold_id}`, { headers: { authorization: bearer.alice! } });
  expect(shown(released)).toEqual({ status: 409, code: 'hold_of_payment' });
  await complete(payment_id);
  expect(await balance(id)).toEqual([6_000, 0]);
  expect((await get(`/payments/${payment_id}`)).body.data).toMatchObject({ status: 'completed', refunds: [] });
  expect((await get(`/holds/${hold_id}`)).body.data.status).toBe('captured');
  const { body } = await get(`/payments/${payment_id}/events`);
  expect(body.data.map(({ kind }: { kind: string }) => kind)).toEqual(['created', 'processing', 'completed']);
  const outbox = await api.query(
    "select event_type, sequence::int, payload -> 'after' ->> 'status' as status from outbox where aggregate_id = $1 order by sequence",
    [payment_id],
  );
  expect(outbox).toEqual([
    { event_type: 'payment.created', sequence: 1, status: 'pending' },
    { event_type: 'payment.processing', sequence: 2, status: 'processing' },
    { event_type: 'payment.completed', sequence: 3, status: 'completed' },
  ]);
  expect(await api.query('select from payment_commands where payment_id = $1', [payment_id])).toEqual([]);
});

test('a repeated request gets the same payment, another one under its key is refused', async () => {
  const id = await account();
  const body = { account_id: id, amount_minor: 100, currency: 'EUR' };
  const first = await post('/payments', body, { key: 'same' });
  const again = await post('/payments', body, { key: 'same' });
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect(again.body.data).toEqual(first.body.data);
  expect(shown(await post('/payments', { ...body, amount_minor: 101 }, { key: 'same' }))).toEqual({
    status: 422,
    code: 'idempotency_key_reused',
  });
  expect(await balance(id)).toEqual([10_000, 100]);
});

test('twenty equal requests at one time are one payment', async () => {
  const id = await account();
  const body = { account_id: id, amount_minor: 100, currency: 'EUR' };
  const answers = await Promise.all(Array.from({ length: 20 }, () => post('/payments', body, { key: 'at-once' })));
  expect(answers.map(({ status }) => status).filter((status) => status !== 202 && status !== 409)).toEqual([]);
  expect(await balance(id)).toEqual([10_000, 100]);
});

test('fifty payments at one time never reserve more than there is', async () => {
  const id = await account(1_000);
  const answers = await Promise.all(Array.from({ length: 50 }, () => pay(id, 100)));
  expect(answers.filter(({ status }) => status === 202)).toHaveLength(10);
  expect(answers.filter(({ status }) => status === 422)).toHaveLength(40);
  expect(await balance(id)).toEqual([1_000, 1_000]);
});

describe('refunds', () => {
  async function completed(minor = 1_000): Promise<{ accountId: string; path: string }> {
    const accountId = await account(minor);
    const { payment_id } = (await pay(accountId, minor)).body.data;
    await complete(payment_id);
    return { accountId, path: `/payments/${payment_id}` };
  }

  test('two equal parts both pass, a repeated request does not, and the rest is what is left', async () => {
    const { accountId, path } = await completed();
    const part = { amount_minor: 300, reason: 'damaged' };
    const first = await post(`${path}/refund`, part, { key: 'part-1' });
    expect(first).toMatchObject({
      status: 202,
      body: { object: 'refund', data: { status: 'pending', amount_minor: 300 } },
    });
    expect((await post(`${path}/refund`, part, { key: 'part-1' })).body.data).toEqual(first.body.data);
    const second = await post(`${path}/refund`, part);
    const rest = await post(`${path}/refund`, {});
    expect([second.body.data.amount_minor, rest.body.data.amount_minor]).toEqual([300, 400]);
    expect(shown(await post(`${path}/refund`, { amount_minor: 1 }))).toEqual({
      status: 422,
      code: 'refund_exceeds_payment',
    });
    for (const { refund_id } of [first.body.data, second.body.data, rest.body.data]) {
      const command = { type: 'complete_refund', refundId: refund_id, reference: `rf_${refund_id}` } as const;
      const transferId = crypto.randomUUID();
      await store.change(path.slice('/payments/'.length), { ...command, transferId }, await leaseOf(refund_id));
    }
    const { body } = await get(path);
    expect(body.data).toMatchObject({ status: 'refunded', refunded_minor: 1_000, refunding_minor: 0 });
    expect(body.data.refunds).toHaveLength(3);
    expect(await balance(accountId)).toEqual([1_000, 0]);
  });

  test('concurrent ones never give back more than was paid', async () => {
    const { path } = await completed();
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(`${path}/refund`, { amount_minor: 100 })));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(10);
    expect(new Set(answers.filter(({ status }) => status !== 202).map((answer) => shown(answer).code))).toEqual(
      new Set(['refund_exceeds_payment']),
    );
  });

  test('an account that waits for one cannot be closed, and none comes to a closed one', async () => {
    const { payment_id } = (await pay(await account(1_000))).body.data;
    await complete(payment_id);
    const path = `/payments/${payment_id}`;
    const accountId = (await get(path)).body.data.account_id;
    const close = () => post(`/accounts/${accountId}/status`, { status: 'closed' }, { as: 'operator' });
    const { refund_id } = (await post(`${path}/refund`, { amount_minor: 400 })).body.data;
    expect(shown(await close())).toEqual({ status: 409, code: 'account_not_empty' });
    const failed = { type: 'fail_refund', refundId: refund_id, reason: 'declined' } as const;
    await store.change(payment_id, failed, await leaseOf(refund_id));
    expect((await close()).status).toBe(200);
    expect(shown(await post(`${path}/refund`, {}))).toEqual({ status: 409, code: 'account_closed' });
  });

  test('of a payment that is not completed there are none', async () => {
    const { payment_id } = (await pay(await account())).body.data;
    expect(shown(await post(`/payments/${payment_id}/refund`, {}))).toEqual({
      status: 409,
      code: 'payment_not_refundable',
    });
  });
});

test('a pending payment can be canceled, again too, and one that the provider knows cannot', async () => {
  const id = await account();
  const first = (await pay(id, 100)).body.data.payment_id;
  for (const _time of [1, 2]) {
    expect((await post(`/payments/${first}/cancel`, undefined)).body.data).toMatchObject({
      status: 'canceled',
      sequence: 2,
    });
  }
  expect(await balance(id)).toEqual([10_000, 0]);
  const second = (await pay(id, 100)).body.data.payment_id;
  await store.change(second, { type: 'begin', provider: 'card' }, await leaseOf(second));
  expect(shown(await post(`/payments/${second}/cancel`, {}))).toEqual({ status: 409, code: 'payment_not_cancelable' });
});

test('an owner that comes back after its lease changes nothing', async () => {
  const { payment_id } = (await pay(await account())).body.data;
  const [late] = (await store.claim('late', { leaseMs: 1, limit: 1_000 })).filter(
    ({ command_id }) => command_id === payment_id,
  );
  await expect
    .poll(async () =>
      (await store.claim('next', { leaseMs: 60_000, limit: 1_000 })).map(({ command_id }) => command_id),
    )
    .toContain(payment_id);
  await expect(store.change(payment_id, { type: 'begin', provider: 'card' }, late!)).rejects.toThrow('lease was lost');
  const given = { afterMs: 0, attempts: 0, error: null };
  await expect(store.postpone(late!, given)).rejects.toThrow('lease was lost');
  expect((await get(`/payments/${payment_id}`)).body.data.status).toBe('pending');
});

test('each user sees its own, an operator all, and pages continue each other', async () => {
  const id = await account();
  const ids = [];
  for (const minor of [1, 2, 3]) ids.unshift((await pay(id, minor)).body.data.payment_id);
  const { body: first } = await get(`/payments?account_id=${id}&limit=2`);
  const { body: second } = await get(`/payments?account_id=${id}&limit=2&cursor=${first.page.next_cursor}`);
  const seen = [...first.data, ...second.data].map(({ payment_id }) => payment_id);
  expect([seen, second.page.has_more]).toEqual([ids, false]);
  expect((await get(`/payments?account_id=${id}`, 'bob')).body.data).toEqual([]);
  expect((await get(`/payments?account_id=${id}`, 'operator')).body.data).toHaveLength(3);
  expect((await get('/payments?user_id=alice', 'bob')).body.data).toEqual([]);
  for (const path of [`/payments/${ids[0]}`, `/payments/${ids[0]}/events`]) {
    expect((await get(path, 'bob')).status).toBe(404);
    expect((await get(path, 'operator')).status).toBe(200);
  }
  for (const action of ['cancel', 'refund']) {
    expect((await post(`/payments/${ids[0]}/${action}`, {}, { as: 'bob' })).status).toBe(404);
  }
  expect(shown(await post('/payments', { account_id: id, amount_minor: 1, currency: 'EUR' }, { as: 'bob' }))).toEqual({
    status: 404,
    code: 'account_not_found',
  });
});

describe('bad input', () => {
  test.each<[string, object]>([
    ['nothing', { amount_minor: 0 }],
    ['less than nothing', { amount_minor: -1 }],
    ['parts of a minor unit', { amount_minor: 10.001 }],
    ['parts as digits', { amount_minor: '10.001' }],
    ['a number that no float can hold', { amount_minor: 2 ** 53 }],
    ['an exponent', { amount_minor: '1e3' }],
    ['full-width digits', { amount_minor: '１００' }],
    ['more than 64 bits', { amount_minor: '9223372036854775808' }],
    ['no such currency', { currency: 'EUX' }],
    ['a currency in small letters', { currency: 'eur' }],
    ['no such provider', { provider: 'cash' }],
    ['an unknown field', { amount: 1 }],
    ['an expiry in the past', { expires_in_seconds: 0 }],
    ['a reference with control characters', { reference: 'a\u0000' }],
  ])('%s: 400', async (_name, changes) => {
    const id = 'acc_1';
    expect((await pay(id, 1, changes)).status).toBe(400);
  });

  test('yen with decimals, a wrong currency, a frozen account, a wrong id, no key and one that is too long', async () => {
    const id = await account();
    const yen = await account(0, 'JPY');
    expect(shown(await pay(yen, 1.5 as number, { currency: 'JPY' }))).toMatchObject({ status: 400 });
    expect(shown(await pay(id, 1, { currency: 'USD' }))).toEqual({ status: 422, code: 'currency_mismatch' });
    expect((await get('/payments/1')).status).toBe(400);
    expect((await get('/payments?limit=0')).status).toBe(400);
    expect((await get('/payments?cursor=x')).status).toBe(400);
    const body = { account_id: id, amount_minor: 1, currency: 'EUR' };
    for (const key of [undefined, 'x'.repeat(256), 'a b']) {
      expect(shown(await post('/payments', body, { key }))).toEqual({ status: 400, code: 'invalid_request' });
    }
    expect((await post(`/accounts/${id}/status`, { status: 'frozen' }, { as: 'operator' })).status).toBe(200);
    expect(shown(await pay(id, 1))).toEqual({ status: 409, code: 'account_frozen' });
  });
});
