import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningApi, startApi } from '../../test/api/running-api.ts';
import { createSeed } from '../../test/api/seed.ts';
import { type SimulatedProvider, startProvider } from '../../test/api/simulated-provider.ts';

let provider: SimulatedProvider;
let api: RunningApi;

beforeAll(async () => {
  provider = await startProvider({ timeoutMs: 1_000 });
  api = await startApi({ topology: 'plain', provider: provider.client });
});

afterAll(async () => {
  await api.close();
  await provider.close();
});

const amount = (text: string) => `{"amount_minor":${text},"currency":"EUR","idempotency_key":"k"}`;

test.each([
  ['no amount', '{"currency":"EUR","idempotency_key":"k"}', 400],
  ['zero', amount('0'), 400],
  ['below zero', amount('-1'), 400],
  ['below zero as text', amount('"-1"'), 400],
  ['a fraction', amount('10.001'), 400],
  ['a fraction as text', amount('"10.001"'), 400],
  ['a whole number with a point', amount('10.0'), 400],
  ['an exponent', amount('1e3'), 400],
  ['an exponent as text', amount('"1e3"'), 400],
  ['a number that loses digits', amount('9007199254740993'), 400],
  ['full-width digits', amount('"１０"'), 400],
  ['beyond int8', amount('"9223372036854775808"'), 400],
  ['hexadecimal', amount('"0x10"'), 400],
  ['spaces', amount('" 10"'), 400],
  ['an empty amount', amount('""'), 400],
  ['true', amount('true'), 400],
  ['null', amount('null'), 400],
  ['a list', amount('[1]'), 400],
  ['an unknown currency', '{"amount_minor":1,"currency":"XXQ","idempotency_key":"k"}', 400],
  ['a currency in small letters', '{"amount_minor":1,"currency":"eur","idempotency_key":"k"}', 400],
  ['decimals of the yen', '{"amount_minor":"10.5","currency":"JPY","idempotency_key":"k"}', 400],
  ['no key', '{"amount_minor":1,"currency":"EUR"}', 400],
  ['an empty key', '{"amount_minor":1,"currency":"EUR","idempotency_key":""}', 400],
  ['a long key', `{"amount_minor":1,"currency":"EUR","idempotency_key":"${'k'.repeat(256)}"}`, 400],
  ['an unknown field', '{"amount_minor":1,"currency":"EUR","idempotency_key":"k","tip":1}', 400],
  ['__proto__', '{"amount_minor":1,"currency":"EUR","idempotency_key":"k","__proto__":{"x":1}}', 400],
  ['an escaped __proto__', '{"amount_minor":1,"currency":"EUR","idempotency_key":"k","\\u005f_proto__":{}}', 400],
  ['deep nesting', `${'['.repeat(1_000)}${']'.repeat(1_000)}`, 400],
  ['NUL', '{"amount_minor":1,"currency":"EUR","idempotency_key":"k\\u0000"}', 400],
  ['broken JSON', '{"amount_minor":1', 400],
  ['nothing', '', 400],
  ['invalid UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 400],
  ['too much', `{"x":"${'x'.repeat(20_000)}"}`, 413],
])('a capture with %s is refused', async (_name, rawBody, status) => {
  const headers = { 'content-type': 'application/json' };
  const answer = await api.call('POST', '/api/v1/orders/ord_1/capture', { rawBody, headers });
  expect({ status: answer.status, success: answer.body.success }).toEqual({ status, success: false });
  expect(answer.body.error.message).not.toMatch(/syntax|stack|at position|SELECT/i);
});

test('the largest amount is understood', async () => {
  const amountMinor = 9_223_372_036_854_775_807n;
  await createSeed(api.webhookPool, 'plain').order({ orderId: 'ord_huge', amountMinor });
  const body = { amount_minor: String(amountMinor), currency: 'EUR', idempotency_key: 'k' };
  const answer = await api.call('POST', '/api/v1/orders/ord_huge/capture', { body });
  expect(answer.body.data).toMatchObject({ amount_minor: String(amountMinor), status: 'completed' });
});

test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=latin1', ''])(
  'content type "%s" is 415',
  async (type) => {
    const headers = { 'content-type': type };
    const answer = await api.call('POST', '/api/v1/orders/ord_1/hold', { rawBody: '{}', headers });
    expect(answer.status).toBe(415);
  },
);

test('a malformed id is refused before anything is written', async () => {
  const body = { amount_minor: 1, currency: 'EUR', idempotency_key: 'k' };
  expect((await api.call('POST', '/api/v1/orders/%00/capture', { body })).status).toBe(400);
  expect((await api.call('POST', '/api/v1/orders/a%20b/hold', { body: { action: 'clear' } })).status).toBe(400);
});

test('without a provider a capture is 503 and nothing is written', async () => {
  const without = await startApi({ topology: 'plain' });
  await createSeed(without.webhookPool, 'plain').order({ orderId: 'ord_1' });
  const body = { amount_minor: 1, currency: 'EUR', idempotency_key: 'k' };
  const answer = await without.call('POST', '/api/v1/orders/ord_1/capture', { body });
  const captures = await without.query('select * from captures');
  await without.close();
  expect({ code: answer.body.error.code, captures }).toEqual({ code: 'provider_unavailable', captures: [] });
});
