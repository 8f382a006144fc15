import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorCodes } from '../../kernel/http/errors.ts';
import { limitRate } from '../../kernel/http/rate-limit.ts';
import { providerDocuments } from '../../kernel/providers/documents.ts';
import { type RunningApi, startApi } from '../../test/api/running-api.ts';
import { exampleSecrets, signExample } from '../../test/api/signed-example.ts';

type ProviderName = keyof typeof exampleSecrets;

const webhooks = Object.entries(providerDocuments).flatMap(([provider, { paths }]) =>
  Object.entries(paths).flatMap(([path, { examples }]) =>
    Object.entries(examples).map(([name, { value }]) => ({ provider: provider as ProviderName, path, name, value })),
  ),
);

let api: RunningApi;

beforeAll(async () => {
  api = await startApi({ topology: 'plain', webhookSecrets: exampleSecrets, limiter: limitRate(100_000) });
});
afterAll(() => api.close());

describe('examples of webhooks', () => {
  test.each(webhooks)('$provider, $path: $name is stored when it is signed', async ({ provider, path, value }) => {
    const signed = signExample(provider, path, value);
    const accepted = await api.call('POST', `/webhooks/${path}`, signed);
    expect({ status: accepted.status, body: accepted.body }).toMatchObject({ status: 202 });
    expect(accepted.headers.get('x-consistency-token')).toBeTruthy();
    const again = await api.call('POST', `/webhooks/${path}`, signed);
    expect({ status: again.status, body: again.body }).toMatchObject({ status: 200 });
    const unsigned = await api.call('POST', `/webhooks/${path}`, { body: value });
    expect(unsigned.status).toBe(401);
  });

  test('none of them contradicts another, or waits for an order that never comes', async () => {
    const rows = await api.query(
      'select provider, verdict, count(*)::int from webhook_deliveries group by 1, 2 order by 1, 2',
    );
    expect(rows.filter(({ verdict }) => verdict === 'quarantined' || verdict === 'parked')).toEqual([]);
    expect(new Set(rows.map(({ provider }) => provider))).toEqual(new Set(Object.keys(exampleSecrets)));
  });
});

test('the examples of commands are taken: a hold, evidence; and what they lack is named', async () => {
  const { paths } = api.document as unknown as {
    paths: Record<
      string,
      { post: { requestBody: { content: Record<string, { examples: Record<string, { value: unknown }> }> } } }
    >;
  };
  const send = async (path: string, id: string, name: string) => {
    const { examples } = paths[path]!.post.requestBody.content['application/json']!;
    return api.call('POST', path.replace('{id}', id), { body: examples[name]!.value });
  };
  const orderId = 'ord_example';
  await api.query(
    `insert into orders (order_id, user_id, status, sequence, provider, provider_updated_at)
     values ('${orderId}', 'u1', 'created', 1, 'silvergate', now())`,
  );
  expect((await send('/api/v1/orders/{id}/hold', orderId, 'set')).status).toBe(200);
  expect((await send('/api/v1/orders/{id}/hold', orderId, 'clear')).status).toBe(200);
  expect((await send('/api/v1/disputes/{id}/evidence', 'nowhere', 'fieldsAndFile')).status).toBe(404);
  expect((await send('/api/v1/orders/{id}/capture', orderId, 'capture')).body.error.code).toBe('provider_unavailable');
});

describe('details of what is refused', () => {
  const json = { 'content-type': 'application/json' };
  test.each<[string, RequestInit, string, string]>([
    ['no JSON', { headers: json, body: '{' }, 'malformed_body', 'body'],
    ['no UTF-8', { headers: json, body: Buffer.from([0x22, 0xff, 0x22]) }, 'malformed_body', 'body'],
    ['NUL', { headers: json, body: '{"action":"\\u0000"}' }, 'malformed_body', 'action'],
    ['half a surrogate pair', { headers: json, body: '{"a":[{"b":"\\ud800"}]}' }, 'malformed_body', 'a.0.b'],
    ['__proto__', { headers: json, body: '{"__proto__":1}' }, 'malformed_body', 'body'],
    ['a number out of range', { headers: json, body: '{"reason":1e400}' }, 'malformed_body', 'reason'],
    ['too deep', { headers: json, body: '['.repeat(40) + ']'.repeat(40) }, 'malformed_body', 'body'],
    [
      'another type',
      { headers: { 'content-type': 'text/plain' }, body: '{}' },
      'unsupported_media_type',
      'Content-Type',
    ],
    [
      'another character set',
      { headers: { 'content-type': 'application/json; charset=utf-16' }, body: '{}' },
      'unsupported_media_type',
      'Content-Type',
    ],
    [
      'an unknown encoding',
      { headers: { ...json, 'content-encoding': 'x' }, body: '{}' },
      'unsupported_media_type',
      'Content-Encoding',
    ],
    ['a broken encoding', { headers: { ...json, 'content-encoding': 'gzip' }, body: '{}' }, 'malformed_body', 'body'],
    ['too large', { headers: json, body: `"${'x'.repeat(5_000_000)}"` }, 'payload_too_large', 'body'],
    ['a field', { headers: json, body: '{"action":"set","reason":"no"}' }, 'invalid_request', 'reason'],
    ['an unknown field', { headers: json, body: '{"surplus":1,"action":"clear"}' }, 'invalid_request', 'surplus'],
  ])('%s names its field and what it must be', async (_what, init, code, field) => {
    const authorization = `Bearer ${await api.tokens.sign({ userId: 'op_1', role: 'operator' }, 60)}`;
    const headers = { authorization, ...init.headers };
    const answer = await fetch(`${api.url}/api/v1/orders/ord_1/hold`, { method: 'POST', ...init, headers });
    const { error } = (await answer.json()) as {
      error: { code: 'invalid_request'; message: string; details: { fields: { field: string; reason: string }[] } };
    };
    expect({ status: answer.status, code: error.code }).toEqual({ status: errorCodes[error.code].status, code });
    expect(error.details.fields.map((entry) => entry.field)).toContain(field);
    for (const { reason } of error.details.fields) expect(reason.length).toBeGreaterThan(5);
    expect(error.message).toContain(field);
  });

  test.each([
    ['/orders?cursor=abc', 'invalid_cursor', 'cursor'],
    ['/orders?limit=0', 'invalid_request', 'limit'],
    [
      '/analytics/volume?source=postgres&time_from=2026-01-02T00:00:00Z&time_to=2026-01-01T00:00:00Z',
      'invalid_request',
      'time_to',
    ],
  ])('GET %s', async (path, code, field) => {
    const { error } = (await api.call('GET', `/api/v1${path}`)).body;
    expect({ code: error.code, fields: error.details.fields.map((entry: { field: string }) => entry.field) }).toEqual({
      code,
      fields: [field],
    });
  });

  test('X-Read-Consistency', async () => {
    const { body } = await api.call('GET', '/api/v1/orders', { headers: { 'X-Read-Consistency': 'never' } });
    expect(body.error.details.fields).toEqual([
      { field: 'X-Read-Consistency', reason: 'must be one of primary, replica, session' },
    ]);
  });
});

test('what the document says of rate limits is what answers carry', async () => {
  const { headers } = await api.call('GET', '/api/v1/orders');
  expect(headers.get('ratelimit-policy')).toBe('100000;w=60');
  expect(headers.get('ratelimit-limit')).toBe('100000');
  expect(Number(headers.get('ratelimit-remaining'))).toBeLessThan(100_000);
  expect(Number(headers.get('ratelimit-reset'))).toBeLessThanOrEqual(60);
});
