import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningApi, startApi } from '../../test/api/running-api.ts';

/* What money does when the clock steps: tokens expire, times of postings never go back. */

const start = Date.parse('2026-03-02T10:00:00Z');
let now = start;
let api: RunningApi;

beforeAll(async () => {
  api = await startApi({ topology: 'plain', now: () => new Date(now) });
});
afterAll(() => api.close());

async function openWallet(token: string) {
  const opened = await api.call('POST', '/api/v1/accounts', { token, body: { currency: 'EUR' } });
  expect(opened.status).toBe(201);
  return opened.body.data.account_id as string;
}

function topUp(token: string, accountId: string, key: string) {
  const body = { amount_minor: 5, currency: 'EUR' };
  const headers = { 'idempotency-key': key };
  return api.call('POST', `/api/v1/accounts/${accountId}/top-ups`, { token, body, headers });
}

test('a clock that steps over the end of a token: refused without effect, and done once under the next token', async () => {
  now = start;
  const principal = { userId: 'alice', role: 'customer' } as const;
  const token = await api.tokens.sign(principal, 60);
  const wallet = await openWallet(token);
  now = start + 59_000;
  expect((await topUp(token, wallet, 'first')).status).toBe(201);
  now = start + 61_000;
  expect(await topUp(token, wallet, 'second')).toMatchObject({
    status: 401,
    body: { error: { code: 'unauthenticated' } },
  });
  // Also a repetition tells nothing to a caller whose token has ended.
  expect((await topUp(token, wallet, 'first')).status).toBe(401);
  const next = await api.tokens.sign(principal, 60);
  const again = await topUp(next, wallet, 'first');
  expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 'true']);
  expect((await topUp(next, wallet, 'second')).status).toBe(201);
  const balance = await api.call('GET', `/api/v1/accounts/${wallet}/balance`, { token: next });
  expect(balance.body.data.balance_minor).toBe(10);
});

test('a clock that steps back: postings keep their order, and a key stays the same key', async () => {
  now = start + 3_600_000;
  const token = await api.tokens.sign({ userId: 'bob', role: 'customer' }, 7_200);
  const wallet = await openWallet(token);
  expect((await topUp(token, wallet, 'a')).status).toBe(201);
  now = start + 1_800_000;
  expect((await topUp(token, wallet, 'b')).status).toBe(201);
  expect((await topUp(token, wallet, 'a')).headers.get('idempotent-replayed')).toBe('true');
  const postings = await api.query('select created_at from postings where account_id = $1 order by sequence', [wallet]);
  const times = postings.map(({ created_at }) => (created_at as Date).getTime());
  expect(times).toEqual([start + 3_600_000, start + 3_600_000]);
});
