import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { healthRouter } from '../kernel/http/health.ts';
import { listen } from '../kernel/http/server.ts';
import { KafkaError, type KafkaErrorCode, type OutgoingMessage } from '../kernel/kafka/port.ts';
import { createMetrics } from '../kernel/metrics.ts';
import { providers } from '../kernel/providers/index.ts';
import { webhookRouter } from '../kernel/webhooks/router.ts';
import { testRefusals } from '../test/webhooks/refusals.ts';
import { orderBody, postSilvergate, testSecrets } from '../test/webhooks/signing.ts';
import { createApp } from './app.ts';
import { deliverToKafka } from './deliver.ts';

/** The gateway in this process, before a broker that keeps messages in memory, or refuses them. */
async function startGateway(limits: { bodyMaxBytes: number; requestTimeoutMs: number }, refusal?: KafkaErrorCode) {
  const messages: OutgoingMessage[] = [];
  const metrics = createMetrics({ service: 'ingest', topology: 'plain' });
  const send = async (sent: readonly OutgoingMessage[]): Promise<void> => {
    if (refusal) throw new KafkaError(refusal, 'kafka:9092 says ECONNREFUSED');
    messages.push(...sent);
  };
  const app = createApp({
    logger: pino({ level: 'silent' }),
    metrics,
    metricsEnabled: true,
    health: healthRouter([], 1_000),
    webhooks: webhookRouter({
      providers,
      secrets: testSecrets,
      merchant: { adyenAutomaticCapture: [] },
      bodyMaxBytes: limits.bodyMaxBytes,
      now: () => new Date(),
      metrics,
      deliver: deliverToKafka({ send, queuedMessages: 0 }, metrics),
    }),
  });
  const http = await listen(app, { host: '127.0.0.1', port: 0, requestTimeoutMs: limits.requestTimeoutMs });
  return { url: http.url, stored: async () => messages.length, close: () => http.close(1_000) };
}

testRefusals((limits) => startGateway(limits));

describe('the broker does not take it', () => {
  it.each<[KafkaErrorCode, number, string]>([
    ['broker_unavailable', 503, 'service_unavailable'],
    ['queue_full', 429, 'rate_limited'],
  ])('%s: %i with Retry-After, and nothing of the broker in the answer', async (refusal, status, code) => {
    const gateway = await startGateway({ bodyMaxBytes: 8_192, requestTimeoutMs: 1_000 }, refusal);
    try {
      const answer = await postSilvergate(gateway.url, 'orders', orderBody());
      expect([answer.status, answer.body.error.code]).toEqual([status, code]);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(JSON.stringify(answer.body)).not.toMatch(/9092|ECONN|kafka/i);
    } finally {
      await gateway.close();
    }
  });
});
