import { describe, expect, it } from 'vitest';
import { parseReceived } from '../kernel/contract/received.ts';
import { webhookMessageMaxBytes } from '../kernel/contract/topics.ts';
import type { ContractEvent, ReceivedWebhook } from '../kernel/contract/webhooks.ts';
import { KafkaError, type KafkaErrorCode, type OutgoingMessage } from '../kernel/kafka/port.ts';
import { createMetrics } from '../kernel/metrics.ts';
import { deliverToKafka, toMessage } from './deliver.ts';

const common = { fingerprint: null, providerUpdatedAt: new Date(1), amountMinor: 5n, currency: 'EUR', meta: {} };
const order: ContractEvent = {
  ...common,
  target: 'order',
  providerEventId: 'e1',
  orderId: 'o1',
  userId: 'u1',
  status: 'created',
  attemptReference: null,
  payment: null,
  introduces: true,
};
const dispute: ContractEvent = {
  ...common,
  target: 'dispute',
  providerEventId: 'e2',
  orderId: 'o1',
  userId: null,
  disputeId: 'd1',
  attemptReference: null,
  funds: null,
  overrules: false,
  kind: 'webhook_opened',
  status: 'open',
  reason: 'fraud',
  evidenceDueAt: null,
};
const unmapped: ContractEvent = { target: 'none', providerEventId: 'e3', fingerprint: null, type: 'balance.available' };

const received = (event: ContractEvent): ReceivedWebhook => ({
  provider: 'stripe',
  event,
  bodySha256: 'b'.repeat(64),
  body: '{}',
  receivedAt: new Date(2),
  requestId: 'r1',
  isReleased: false,
});

describe('messages of the gateway', () => {
  it.each([
    ['orders by user', order, 'webhooks.orders', 'u1'],
    ['disputes by order where the provider does not know the user', dispute, 'webhooks.disputes', 'o1'],
    ['unmapped events by their own id', unmapped, 'webhooks.orders', 'e3'],
  ])('%s', (_name, event, topic, key) => {
    const message = toMessage(received(event));
    expect(message).toMatchObject({ topic, key, headers: { 'correlation-id': 'r1' } });
    expect(parseReceived(message.value as string)).toEqual(received(event));
  });

  it('carry the request id as the caller wrote it', () => {
    const requestId = 'caller "7" \\ ~';
    const message = toMessage({ ...received(order), requestId });
    expect(message.headers).toEqual({ 'correlation-id': requestId });
    expect(parseReceived(message.value as string).requestId).toBe(requestId);
  });
});

describe('delivery to the broker', () => {
  const metrics = createMetrics({ service: 'ingest', topology: 'plain' });

  it('answers accepted once all webhooks of the request are stored, by one call', async () => {
    const calls: (readonly OutgoingMessage[])[] = [];
    const producer = {
      queuedMessages: 0,
      send: async (messages: readonly OutgoingMessage[]) => void calls.push(messages),
    };
    const delivered = await deliverToKafka(producer, metrics)([received(order), received(dispute)]);
    expect(calls).toHaveLength(1);
    expect(delivered.map(({ data }) => data)).toEqual([
      { provider_event_id: 'e1', verdict: 'accepted' },
      { provider_event_id: 'e2', verdict: 'accepted' },
    ]);
  });

  it('refuses with 413 what the consumers would not read, whatever the limit for bodies is', async () => {
    const calls: (readonly OutgoingMessage[])[] = [];
    const producer = { queuedMessages: 0, send: async (sent: readonly OutgoingMessage[]) => void calls.push(sent) };
    // Each quote needs a second byte in the message.
    const body = '"'.repeat(webhookMessageMaxBytes / 2);
    const refused = deliverToKafka(producer, metrics)([received(order), { ...received(dispute), body }]);
    await expect(refused).rejects.toMatchObject({ status: 413 });
    expect(calls).toEqual([]);
  });

  it.each<[KafkaErrorCode, number, number | undefined]>([
    ['queue_full', 429, 1],
    ['broker_unavailable', 503, 1],
    ['unknown_topic', 503, 1],
    ['closed', 503, 1],
    ['failed', 503, 1],
    ['message_too_large', 413, undefined],
  ])('refuses on %s with %i', async (code, status, retryAfterSeconds) => {
    const producer = { queuedMessages: 0, send: () => Promise.reject(new KafkaError(code, 'words of the client')) };
    const refused = deliverToKafka(producer, metrics)([received(order)]);
    await expect(refused).rejects.toMatchObject({ status, retryAfterSeconds });
    await expect(refused).rejects.not.toThrow('words of the client');
  });
});
