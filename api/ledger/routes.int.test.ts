// Longer than 300 lines because every bad input is a test, and all of them share one server.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiAnswer, type RunningApi, startApi } from '../../test/api/running-api.ts';

let api: RunningApi;
const bearer: Record<string, string> = {};
let keys = 0;

beforeAll(async () => {
  api = await startApi({ topology: 'plain' });
  for (const userId of ['alice', 'bob']) {
    bearer[userId] = `Bearer ${await api.tokens.sign({ userId, role: 'customer' }, 600)}`;
  }
  bearer.operator = `Bearer ${await api.tokens.sign({ userId: 'op', role: 'operator' }, 600)}`;
});
afterAll(() => api.close());

type Asking = { as?: string; key?: string | undefined; headers?: Record<string, string> };

function get(path: string, { as = 'alice', headers }: Asking = {}): Promise<ApiAnswer> {
  return api.call('GET', `/api/v1${path}`, { headers: { authorization: bearer[as]!, ...headers } });
}

/** With a key of its own, unless told otherwise. */
function post(path: string, body: unknown, asking: Asking = {}): Promise<ApiAnswer> {
  keys += 1;
  const { as = 'alice', key = 'key' in asking ? asking.key : `k-${keys}` } = asking;
  const headers = { authorization: bearer[as]!, ...(key !== undefined && { 'idempotency-key': key }) };
  return api.call('POST', `/api/v1${path}`, { body, headers });
}

async function account(options: { as?: string; currency?: string; minor?: number | string } = {}): Promise<string> {
  const { as = 'alice', currency = 'EUR', minor } = options;
  const { status, body } = await post('/accounts', { currency }, { as });
  expect(status).toBe(201);
  if (minor !== undefined) {
    const toppedUp = await post(`/accounts/${body.data.account_id}/top-ups`, { amount_minor: minor, currency }, { as });
    expect(toppedUp.status).toBe(201);
  }
  return body.data.account_id;
}

const shown = ({ status, body }: ApiAnswer) => ({
  status,
  code: body.error?.code,
  fields: body.error?.details.fields?.map(({ field }: { field: string }) => field),
});

test('top-up, transfer, withdrawal: each shows in balances and postings at once', async () => {
  const [from, to] = [await account({ minor: 10_000 }), await account({ as: 'bob' })];
  const order = { from_account_id: from, to_account_id: to, amount_minor: 4_990, currency: 'EUR', reference: 'ord_1' };
  const made = await post('/transfers', order);
  expect(made.body).toMatchObject({
    object: 'transfer',
    data: { kind: 'transfer', amount_minor: 4_990, to_amount_minor: 4_990, rate: null, reference: 'ord_1' },
  });
  expect(made.headers.get('x-consistency-token')).toBeTruthy();
  const transferId = made.body.data.transfer_id;
  for (const as of ['alice', 'bob', 'operator']) {
    expect((await get(`/transfers/${transferId}`, { as })).body.data).toEqual(made.body.data);
  }
  const withdrawn = await post(`/accounts/${to}/withdrawals`, { amount_minor: '90', currency: 'EUR' }, { as: 'bob' });
  expect(withdrawn.body.data).toMatchObject({ kind: 'withdrawal', to_account_id: 'external:EUR' });
  expect((await get(`/accounts/${from}/balance`)).body.data).toMatchObject({ balance_minor: 5_010, version: 2 });
  const { body } = await get(`/accounts/${to}/transactions`, { as: 'bob' });
  expect(
    body.data.map((row: { amount_minor: number; balance_minor: number }) => [row.amount_minor, row.balance_minor]),
  ).toEqual([
    [-90, 4_900],
    [4_990, 4_990],
  ]);
});

test('pages of postings continue each other and end', async () => {
  const id = await account();
  for (const minor of [1, 2, 3, 4, 5]) await post(`/accounts/${id}/top-ups`, { amount_minor: minor, currency: 'EUR' });
  const seen: number[] = [];
  let cursor = '';
  do {
    const { body } = await get(`/accounts/${id}/transactions?limit=2${cursor && `&cursor=${cursor}`}`);
    seen.push(...body.data.map((row: { sequence: number }) => row.sequence));
    cursor = body.page.next_cursor ?? '';
  } while (cursor);
  expect(seen).toEqual([5, 4, 3, 2, 1]);
});

test('the balance of a moment is what was posted until then', async () => {
  const id = await account();
  const moments: string[] = [new Date(Date.now() - 1_000).toISOString()];
  for (const minor of [1, 10, 100]) {
    const { body } = await post(`/accounts/${id}/top-ups`, { amount_minor: minor, currency: 'EUR' });
    moments.push(body.data.created_at);
    await expect.poll(() => Date.now()).toBeGreaterThan(Date.parse(body.data.created_at));
  }
  const balances = [];
  for (const at of moments) balances.push((await get(`/accounts/${id}/balance?at=${at}`)).body.data);
  expect(balances.map(({ balance_minor, version }) => [balance_minor, version])).toEqual([
    [0, 0],
    [1, 1],
    [11, 2],
    [111, 3],
  ]);
  expect(balances[1]).toMatchObject({ at: moments[1], held_minor: null, available_minor: null });
});

describe('two currencies', () => {
  test.each([
    ['EUR', 'USD', 4_990, '1.0842', 5_410],
    ['EUR', 'JPY', 100, '163.5', 164],
    ['JPY', 'BHD', 1_000, '0.0025', 2_500],
  ])('%s to %s', async (currency, other, minor, rate, received) => {
    const [from, to] = [await account({ currency, minor }), await account({ as: 'bob', currency: other })];
    const body = { from_account_id: from, to_account_id: to, amount_minor: minor, currency };
    expect(shown(await post('/transfers', body))).toMatchObject({ status: 422, code: 'currency_mismatch' });
    const made = await post('/transfers', { ...body, to_currency: other, rate }, { as: 'operator' });
    expect(made.body.data).toMatchObject({ to_amount_minor: received, to_currency: other, rate });
    const legs = await api.query(
      'select account_id, amount_minor::int as minor from postings where transfer_id = $1 order by amount_minor, account_id',
      [made.body.data.transfer_id],
    );
    expect(legs).toHaveLength(4);
    expect(legs).toContainEqual({ account_id: `clearing:${currency}`, minor });
    expect(legs).toContainEqual({ account_id: `clearing:${other}`, minor: -received });
  });

  test('what does not fit is refused: one currency, another one, too little', async () => {
    const [from, to] = [await account({ minor: 100 }), await account({ as: 'bob' })];
    const yen = await account({ as: 'bob', currency: 'JPY' });
    const send = (changes: object) => {
      const body = { from_account_id: from, to_account_id: to, amount_minor: 1, currency: 'EUR', ...changes };
      return post('/transfers', body, { as: 'operator' });
    };
    const refusals = [
      await send({ currency: 'USD' }),
      await send({ to_currency: 'EUR', rate: '1' }),
      await send({ to_account_id: yen, to_currency: 'USD', rate: '1' }),
      await send({ to_account_id: yen, to_currency: 'JPY', rate: '0.000001' }),
    ];
    expect(refusals.map(shown)).toEqual(
      [['currency'], ['rate'], ['to_currency'], ['amount_minor']].map((fields) => ({
        status: 422,
        code: 'currency_mismatch',
        fields,
      })),
    );
    expect(shown(await send({ rate: '1.0' }))).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});

test('a customer neither sets a rate nor pays into the ledger’s own accounts', async () => {
  const [from, dollars] = [await account({ minor: 100 }), await account({ currency: 'USD' })];
  const own = { from_account_id: from, to_account_id: dollars, amount_minor: 100, currency: 'EUR' };
  expect(shown(await post('/transfers', { ...own, to_currency: 'USD', rate: '1000' }))).toEqual({
    status: 403,
    code: 'forbidden',
    fields: ['rate'],
  });
  for (const to of ['clearing:EUR', 'external:EUR']) {
    const refused = await post('/transfers', { ...own, to_account_id: to });
    expect(shown(refused)).toMatchObject({ status: 404, code: 'account_not_found' });
  }
  for (const outside of ['clearing:EUR', 'external:EUR']) {
    const refused = await post('/transfers', { ...own, from_account_id: outside, to_account_id: from });
    expect(shown(refused)).toMatchObject({ status: 404, code: 'account_not_found' });
  }
  expect((await get(`/accounts/${from}/balance`)).body.data).toMatchObject({ balance_minor: 100 });
});

describe('what is refused', () => {
  test.each([
    ['zero', 0],
    ['less', -1],
    ['decimals as text', '10.001'],
    ['decimals', 10.5],
    ['an unsafe number', Number.MAX_SAFE_INTEGER + 2],
    ['an exponent', '1e3'],
    ['full-width digits', '１０'],
    ['beyond 64 bits', '9223372036854775808'],
    ['nothing', null],
    ['an empty text', ''],
  ])('an amount: %s', async (_what, amount) => {
    const id = await account();
    const answer = await post(`/accounts/${id}/top-ups`, { amount_minor: amount, currency: 'EUR' });
    expect(shown(answer)).toEqual({ status: 400, code: 'invalid_request', fields: ['amount_minor'] });
  });

  test('a currency, a field, an id, a limit, a cursor, a transfer to oneself', async () => {
    const id = await account({ minor: 5 });
    const money = { amount_minor: 1, currency: 'EUR' };
    expect(shown(await post(`/accounts/${id}/top-ups`, { ...money, currency: 'EURO' })).fields).toEqual(['currency']);
    expect(shown(await post(`/accounts/${id}/top-ups`, { ...money, more: 1 })).status).toBe(400);
    expect(shown(await get('/transfers/no-uuid')).status).toBe(400);
    expect(shown(await get('/accounts/%20')).status).toBe(400);
    expect(shown(await get(`/accounts/${id}/transactions?limit=201`)).fields).toEqual(['limit']);
    expect(shown(await get(`/accounts/${id}/transactions?cursor=abc`)).code).toBe('invalid_cursor');
    expect(shown(await get(`/accounts/${id}/balance?at=yesterday`)).fields).toEqual(['at']);
    const self = await post('/transfers', { ...money, from_account_id: id, to_account_id: id });
    expect(shown(self)).toEqual({ status: 422, code: 'self_transfer', fields: ['to_account_id'] });
    expect((await get(`/accounts/${id}`)).body.data.version).toBe(1);
  });

  test('an account that is not there, on either side', async () => {
    const id = await account({ minor: 5 });
    const money = { amount_minor: 1, currency: 'EUR' };
    for (const [from, to, field] of [
      [id, 'acc_none', 'to_account_id'],
      ['acc_none', id, 'from_account_id'],
    ]) {
      const answer = await post('/transfers', { ...money, from_account_id: from, to_account_id: to });
      expect(shown(answer)).toEqual({ status: 404, code: 'account_not_found', fields: [field] });
    }
    expect(shown(await get('/accounts/acc_none')).code).toBe('account_not_found');
    expect(shown(await get('/transfers/019c1378-39a0-7000-9c1b-5e1f3a7d2c02')).code).toBe('not_found');
  });

  test('money that is not there, and more than an account may have', async () => {
    const [from, to] = [await account({ minor: 5 }), await account({ as: 'bob', minor: 10 ** 15 })];
    const money = { from_account_id: from, to_account_id: to, amount_minor: 6, currency: 'EUR' };
    const short = await post('/transfers', money);
    expect(shown(short)).toMatchObject({ status: 422, code: 'insufficient_funds' });
    expect(short.body.error.details).toEqual({ account_id: from, available_minor: 5 });
    const much = await post('/transfers', { ...money, amount_minor: 1 });
    expect(shown(much)).toEqual({ status: 422, code: 'balance_out_of_range', fields: ['amount_minor'] });
    const most = await post(`/accounts/${from}/top-ups`, { amount_minor: '9223372036854775807', currency: 'EUR' });
    expect(shown(most).code).toBe('balance_out_of_range');
  });

  test('a customer sees and moves its own money only', async () => {
    const [mine, other] = [await account({ minor: 5 }), await account({ as: 'bob', minor: 5 })];
    const hold = await post(`/accounts/${mine}/holds`, { amount_minor: 1, currency: 'EUR' });
    const transfer = await post(`/accounts/${mine}/top-ups`, { amount_minor: 1, currency: 'EUR' });
    const as = { as: 'bob' };
    const answers = [
      await get(`/accounts/${mine}`, as),
      await get(`/accounts/${mine}/balance`, as),
      await get(`/accounts/${mine}/transactions`, as),
      await get(`/transfers/${transfer.body.data.transfer_id}`, as),
      await get(`/holds/${hold.body.data.hold_id}`, as),
      await api.call('DELETE', `/api/v1/holds/${hold.body.data.hold_id}`, { headers: { authorization: bearer.bob! } }),
      await post(`/accounts/${mine}/top-ups`, { amount_minor: 1, currency: 'EUR' }, as),
      await post(`/accounts/${mine}/withdrawals`, { amount_minor: 1, currency: 'EUR' }, as),
      await post(`/accounts/${mine}/holds`, { amount_minor: 1, currency: 'EUR' }, as),
      await post('/transfers', { from_account_id: mine, to_account_id: other, amount_minor: 1, currency: 'EUR' }, as),
    ];
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404));
    expect((await get(`/accounts/${mine}`)).body.data).toMatchObject({ balance_minor: 6, held_minor: 1 });
    const denied = [
      await post('/accounts', { currency: 'EUR', user_id: 'bob' }),
      await post('/accounts', { currency: 'EUR', kind: 'external' }),
      await post('/accounts', { currency: 'EUR', overdraft_limit_minor: 1 }),
      await post(`/accounts/${mine}/status`, { status: 'frozen' }),
    ];
    expect(denied.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    const none = await api.call('GET', `/api/v1/accounts/${mine}`, { token: null });
    expect(none.status).toBe(401);
  });
});

test('a frozen account neither pays nor is paid; a closed one is closed for good, and was empty', async () => {
  const [frozen, other] = [await account({ minor: 10 }), await account({ as: 'bob', minor: 10 })];
  const setStatus = (status: string) => post(`/accounts/${frozen}/status`, { status }, { as: 'operator' });
  expect((await setStatus('frozen')).body.data.status).toBe('frozen');
  const money = { amount_minor: 1, currency: 'EUR' };
  const refused = [
    await post('/transfers', { ...money, from_account_id: frozen, to_account_id: other }),
    await post('/transfers', { ...money, from_account_id: other, to_account_id: frozen }, { as: 'bob' }),
    await post(`/accounts/${frozen}/top-ups`, money),
    await post(`/accounts/${frozen}/holds`, money),
  ];
  for (const answer of refused) expect(shown(answer)).toMatchObject({ status: 409, code: 'account_frozen' });
  expect(shown(await setStatus('closed'))).toMatchObject({ status: 409, code: 'account_not_empty' });
  await setStatus('active');
  await post(`/accounts/${frozen}/withdrawals`, { amount_minor: 10, currency: 'EUR' });
  expect((await setStatus('closed')).status).toBe(200);
  expect(shown(await setStatus('active')).code).toBe('account_closed');
  expect(shown(await post(`/accounts/${frozen}/top-ups`, money)).code).toBe('account_closed');
});

test('a hold reserves, another one cannot have the same money, and a release frees it once', async () => {
  const id = await account({ minor: 10 });
  const held = await post(`/accounts/${id}/holds`, { amount_minor: 7, currency: 'EUR' });
  expect(held.body.data).toMatchObject({ status: 'active', amount_minor: 7 });
  expect(shown(await post(`/accounts/${id}/holds`, { amount_minor: 4, currency: 'EUR' })).code).toBe(
    'insufficient_funds',
  );
  expect(shown(await post(`/accounts/${id}/withdrawals`, { amount_minor: 4, currency: 'EUR' })).code).toBe(
    'insufficient_funds',
  );
  expect((await get(`/accounts/${id}`)).body.data).toMatchObject({ balance_minor: 10, available_minor: 3 });
  for (let time = 0; time < 2; time++) {
    const released = await api.call('DELETE', `/api/v1/holds/${held.body.data.hold_id}`, {
      headers: { authorization: bearer.alice! },
    });
    expect(released.body.data.status).toBe('released');
  }
  expect((await get(`/accounts/${id}`)).body.data).toMatchObject({ held_minor: 0, available_minor: 10 });
});

describe('Idempotency-Key', () => {
  const money = { amount_minor: 5, currency: 'EUR' };

  test.each([
    ['none', undefined],
    ['an empty one', ''],
    ['one of 256 characters', 'x'.repeat(256)],
    ['one with a space', 'a b'],
  ])('%s is refused on every POST that moves money', async (_what, key) => {
    const id = await account();
    for (const path of [`/accounts/${id}/top-ups`, `/accounts/${id}/withdrawals`, `/accounts/${id}/holds`]) {
      expect(shown(await post(path, money, { key }))).toEqual({
        status: 400,
        code: 'invalid_request',
        fields: ['Idempotency-Key'],
      });
    }
    const transfer = await post('/transfers', { ...money, from_account_id: id, to_account_id: 'x' }, { key });
    expect(shown(transfer).fields).toEqual(['Idempotency-Key']);
  });

  test('the same request gets the same answer, another one 422, another principal its own', async () => {
    const [mine, other] = [await account(), await account({ as: 'bob' })];
    const key = 'x'.repeat(255);
    const first = await post(`/accounts/${mine}/top-ups`, money, { key });
    const again = await post(`/accounts/${mine}/top-ups`, { currency: 'EUR', amount_minor: '5' }, { key });
    expect(again.body.data).toEqual(first.body.data);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect([first, again].map(({ headers }) => headers.get('idempotent-replayed'))).toEqual([null, 'true']);
    const reused = [
      await post(`/accounts/${mine}/top-ups`, { ...money, amount_minor: 6 }, { key }),
      await post(`/accounts/${mine}/withdrawals`, money, { key }),
      await post(`/accounts/${mine}/holds`, money, { key }),
    ];
    for (const answer of reused) {
      expect(shown(answer)).toEqual({
        status: 422,
        code: 'idempotency_key_reused',
        fields: ['Idempotency-Key'],
      });
    }
    const others = await post(`/accounts/${other}/top-ups`, money, { as: 'bob', key });
    expect(others.headers.get('idempotent-replayed')).toBeNull();
    expect((await get(`/accounts/${mine}`)).body.data.balance_minor).toBe(5);
  });

  test('a refusal is an answer too: a top-up in between does not change it', async () => {
    const id = await account();
    const refused = await post(`/accounts/${id}/withdrawals`, money, { key: 'refused' });
    await post(`/accounts/${id}/top-ups`, money);
    const again = await post(`/accounts/${id}/withdrawals`, money, { key: 'refused' });
    expect(again.body.error).toEqual(refused.body.error);
    expect(again.body.error.code).toBe('insufficient_funds');
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  });

  test('a key under which another transaction is at work is 409 with Retry-After', async () => {
    const id = await account();
    const client = await api.pool.connect();
    await client.query('begin');
    await client.query("select pg_advisory_xact_lock(hashtextextended('idempotency alice busy', 0))");
    const answer = await post(`/accounts/${id}/top-ups`, money, { key: 'busy' });
    await client.query('rollback');
    client.release();
    expect(shown(answer)).toMatchObject({ status: 409, code: 'operation_in_progress' });
    expect(answer.headers.get('retry-after')).toBe('1');
    expect((await post(`/accounts/${id}/top-ups`, money, { key: 'busy' })).status).toBe(201);
  });

  test('after a day the key is new, also where its row is still there', async () => {
    const id = await account();
    await post(`/accounts/${id}/top-ups`, money, { key: 'daily' });
    await api.query("update idempotency_keys set created_at = created_at - interval '25 hours' where key = 'daily'");
    const again = await post(`/accounts/${id}/top-ups`, { ...money, amount_minor: 6 }, { key: 'daily' });
    expect(again.status).toBe(201);
    expect((await get(`/accounts/${id}`)).body.data.balance_minor).toBe(11);
  });

  test('an answer that was lost after COMMIT is given again, once the effect', async () => {
    const id = await account();
    const aborting = new AbortController();
    const lost = fetch(`${api.url}/api/v1/accounts/${id}/top-ups`, {
      method: 'POST',
      headers: { authorization: bearer.alice!, 'content-type': 'application/json', 'idempotency-key': 'lost' },
      body: JSON.stringify(money),
      signal: aborting.signal,
    }).catch(() => undefined);
    await expect.poll(() => api.query("select from idempotency_keys where key = 'lost'")).toHaveLength(1);
    aborting.abort();
    await lost;
    const again = await post(`/accounts/${id}/top-ups`, money, { key: 'lost' });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect((await get(`/accounts/${id}`)).body.data).toMatchObject({ balance_minor: 5, version: 1 });
  });
});

test('a read that carries the token of a transfer sees it, and says which node answered', async () => {
  const id = await account();
  const { headers } = await post(`/accounts/${id}/top-ups`, { amount_minor: 3, currency: 'EUR' });
  const read = await get(`/accounts/${id}`, {
    headers: { 'x-consistency-token': headers.get('x-consistency-token')! },
  });
  expect(read.body.data.balance_minor).toBe(3);
  expect(read.headers.get('x-read-node')).toBe('primary');
});
