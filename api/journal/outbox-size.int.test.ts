import { afterAll, beforeAll, expect, test } from 'vitest';
import { domainTopicSpecs } from '../../kernel/contract/topics.ts';
import { type RunningApi, startApi } from '../../test/api/running-api.ts';
import { createSeed } from '../../test/api/seed.ts';
import { type SimulatedProvider, startProvider } from '../../test/api/simulated-provider.ts';
import { startWebhookServer, type WebhookServer } from '../../test/webhooks/server.ts';
import { orderBody, postSilvergate } from '../../test/webhooks/signing.ts';
import { evidenceLimits } from '../disputes/evidence-input.ts';

let provider: SimulatedProvider;
let api: RunningApi;
let webhooks: WebhookServer;

beforeAll(async () => {
  webhooks = await startWebhookServer({ topology: 'partitioned' });
  provider = await startProvider({ timeoutMs: 300 });
  api = await startApi({ topology: 'partitioned', provider: provider.client });
});

afterAll(async () => {
  await webhooks.close();
  await api.close();
  await provider.close();
});

const id = (letter: string) => letter.repeat(64);
const topicBytes = Math.min(...domainTopicSpecs.map(({ settings }) => Number(settings['max.message.bytes'])));

/** The outbox row of the aggregate's newest event as Debezium sends it: payload and headers as JSON texts inside JSON. */
async function messageBytes(server: Pick<RunningApi, 'query'>, aggregateId: string): Promise<number> {
  const [row] = await server.query(
    `select event_id, event_type, aggregate_type, aggregate_id, user_id, sequence::text, payload::text, headers::text
     from outbox where aggregate_id = $1 order by sequence desc limit 1`,
    [aggregateId],
  );
  return Buffer.byteLength(JSON.stringify(row));
}

// What a body of 256 KiB can become: PostgreSQL prints 1e308 with 309 digits, and quotes are escaped twice.
test.each([
  ['numbers', { n: Array(1_165).fill(1e308) }],
  ['quotes', { n: '"'.repeat(4_090) }],
  ['control characters', { n: '\u0001'.repeat(1_360) }],
  ['wide characters', { n: '€'.repeat(8_180) }],
])('the largest webhook of %s is an event that a domain topic takes', async (name, meta) => {
  const fields = { order_id: id(name[0]!), user_id: id('u'), provider_event_id: 'e'.repeat(128 - 1) + name[0] };
  expect((await postSilvergate(webhooks.url, 'orders', orderBody({ ...fields, meta }))).status).toBe(202);
  const bytes = await messageBytes(webhooks, id(name[0]!));
  expect(bytes).toBeGreaterThan(8_000);
  expect(bytes).toBeLessThan(topicBytes / 4);
  const larger = { ...orderBody({ ...fields, provider_event_id: 'another' }), meta: { ...meta, more: 'x'.repeat(64) } };
  expect((await postSilvergate(webhooks.url, 'orders', larger)).status).toBe(400);
});

test('so is the largest piece of evidence', async () => {
  const seed = createSeed(api.webhookPool, 'partitioned');
  await seed.order({ orderId: 'o', userId: id('u') });
  await seed.dispute({ disputeId: 'd', orderId: 'o' });
  const file = { content_type: 'text/plain', content_base64: Buffer.from('x').toString('base64') };
  const body = {
    fields: Object.fromEntries(
      Array.from({ length: evidenceLimits.fieldsPerRequest }, (_, at) => [`${'f'.repeat(62)}${at}`.slice(-64), 'x']),
    ),
    files: Array.from({ length: evidenceLimits.filesPerRequest }, () => ({ ...file, name: '"'.repeat(255) })),
  };
  expect(await api.call('POST', '/api/v1/disputes/d/evidence', { body })).toMatchObject({ status: 201 });
  expect(await messageBytes(api, 'd')).toBeLessThan(topicBytes / 4);
});
