import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createMetrics } from '../../kernel/metrics.ts';
import { createProviderClient, type ProviderClient } from './client.ts';

type Step = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let client: ProviderClient;
const metrics = createMetrics({ service: 'test', topology: 'plain' });

/** A provider that answers the n-th request by the n-th step and records what it was asked. */
async function scripted(...steps: Step[]): Promise<string[]> {
  const asked: string[] = [];
  server = createServer((request, response) => {
    const step = steps[asked.length] ?? status(500);
    asked.push(`${request.method} ${request.url}`);
    request.resume().once('end', () => step(request, response));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // Short only where silence has to be waited for: a busy machine takes longer than this for an answer at once.
  client = createProviderClient({ url, timeoutMs: steps.includes(silent) ? 1_000 : 5_000, metrics });
  return asked;
}

afterEach(async () => {
  await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

const request = { captureId: 'c1', orderId: 'o1', amountMinor: 9_007_199_254_740_993n, currency: 'EUR' };
const stored = {
  idempotency_key: 'c1',
  capture_id: 'cap_1',
  status: 'completed',
  order_id: 'o1',
  amount_minor: '9007199254740993',
  currency: 'EUR',
};

const json =
  (body: unknown): Step =>
  (_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  };
const status =
  (code: number): Step =>
  (_request, response) => {
    response.writeHead(code, code === 302 ? { location: '/elsewhere' } : {}).end('{}');
  };
const reset: Step = (_request, response) => response.socket!.resetAndDestroy();
const silent: Step = () => {};

const post = 'POST /captures';
const query = 'GET /captures/c1';
const completed = { status: 'completed', reference: 'cap_1' };

test('an answer at once is taken', async () => {
  const asked = await scripted(json(stored));
  expect(await client.capture(request)).toEqual(completed);
  expect(asked).toEqual([post]);
});

test('a decline carries its reason', async () => {
  await scripted(json({ ...stored, status: 'declined', decline_reason: 'card_declined' }));
  expect(await client.capture(request)).toEqual({ status: 'declined', reference: 'cap_1', reason: 'card_declined' });
});

test('a reason is cut, and holds nothing that the database refuses', async () => {
  const decline_reason = `no\0\ud800${'x'.repeat(1_000_000)}`;
  await scripted(json({ ...stored, status: 'declined', decline_reason }));
  const reason = `no \ufffd${'x'.repeat(496)}`;
  expect(await client.capture(request)).toEqual({ status: 'declined', reference: 'cap_1', reason });
});

test.each([
  ['silence', silent],
  ['a reset', reset],
  ['a 5xx', status(503)],
  ['a redirect', status(302)],
  ['a 429', status(429)],
])('after %s the key is asked for, and nothing is sent again', async (_name, failure) => {
  const asked = await scripted(failure, json(stored));
  expect(await client.capture(request)).toEqual(completed);
  expect(asked).toEqual([post, query]);
});

test('the query is repeated with back-off', async () => {
  const asked = await scripted(reset, status(500), silent, json(stored));
  expect(await client.capture(request)).toEqual(completed);
  expect(asked).toEqual([post, query, query, query]);
});

test('when the provider says that it never got the request, it is sent once more', async () => {
  const asked = await scripted(reset, status(404), json(stored));
  expect(await client.capture(request)).toEqual(completed);
  expect(asked).toEqual([post, query, post]);
});

test('while the provider cannot tell, the outcome is unknown and no second request is sent', async () => {
  const asked = await scripted(reset);
  expect(await client.capture(request)).toMatchObject({ status: 'unknown' });
  expect(asked).toEqual([post, query, query, query]);
});

test.each([400, 401, 403, 405, 410])(
  'a query that is answered %i is no outcome: the money may have moved',
  async (code) => {
    const asked = await scripted(reset, status(code), status(code), status(code));
    expect(await client.capture(request)).toEqual({ status: 'unknown', reason: `status ${code}` });
    expect(asked).toEqual([post, query, query, query]);
  },
);

test('a resumed capture is asked for before it is sent', async () => {
  const asked = await scripted(json(stored));
  expect(await client.resumeCapture(request)).toEqual(completed);
  expect(asked).toEqual([query]);
});

test('a resumed capture that never arrived is sent', async () => {
  const asked = await scripted(status(404), json(stored));
  expect(await client.resumeCapture(request)).toEqual(completed);
  expect(asked).toEqual([query, post]);
});

test('a refusal is a decline', async () => {
  const asked = await scripted(status(400));
  expect(await client.capture(request)).toEqual({ status: 'declined', reference: null, reason: 'rejected_400' });
  expect(asked).toEqual([post]);
});

test.each([
  ['another amount', { ...stored, amount_minor: '1' }],
  ['another key', { ...stored, idempotency_key: 'c2' }],
  ['something else', { hello: 'world' }],
  ['a reference without end', { ...stored, capture_id: 'x'.repeat(1_000_000) }],
  ['a reference that cannot be stored', { ...stored, capture_id: 'cap\0' }],
])('an answer about %s decides nothing', async (_name, body) => {
  await scripted(json(body));
  expect(await client.capture(request)).toMatchObject({ status: 'unknown' });
});

test('a representment that the provider has already is the one that counts', async () => {
  const asked = await scripted(status(422), json({ representment_id: 'rep_1', evidence_ids: ['e1'] }));
  expect(await client.represent('d1', [])).toEqual({ status: 'accepted', reference: 'rep_1', evidenceIds: ['e1'] });
  expect(asked).toEqual(['POST /representments', 'GET /representments/d1']);
});

test.each([
  { representment_id: 'x'.repeat(1_000_000), evidence_ids: [] },
  { representment_id: 'rep_1', evidence_ids: ['x'.repeat(1_000_000)] },
  { representment_id: 'rep_1', evidence_ids: Array(10_000).fill('e1') },
])('a representment that is answered at endless length is unknown', async (body) => {
  await scripted(json(body));
  expect(await client.represent('d1', [])).toMatchObject({ status: 'unknown' });
});

test('a representment whose query is refused is not a refused representment', async () => {
  await scripted(status(422), status(403), status(403), status(403));
  expect(await client.represent('d1', [])).toMatchObject({ status: 'unknown' });
});

test('no call takes longer than the budget', async () => {
  await scripted(...Array.from({ length: 20 }, (_, i) => (i % 3 ? silent : reset)));
  const started = performance.now();
  expect(await client.resumeCapture(request)).toMatchObject({ status: 'unknown' });
  expect(performance.now() - started).toBeLessThan(client.budgetMs);
});

test('a provider that is away is an unknown outcome', async () => {
  await scripted();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  expect(await client.capture(request)).toMatchObject({ status: 'unknown', reason: 'ECONNREFUSED' });
  server.listen(0);
});

test('every call is measured with its outcome', async () => {
  await scripted(reset, json(stored));
  await client.capture(request);
  const text = await metrics.registry.getSingleMetricAsString('provider_request_duration_seconds');
  expect(text).toMatch(/_count\{.*operation="capture",outcome="unknown"/);
  expect(text).toMatch(/_count\{.*operation="query_capture",outcome="ok"/);
});
