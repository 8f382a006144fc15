import { serializeReceived } from '../kernel/contract/received.ts';
import { webhookMessageMaxBytes, webhookTopics } from '../kernel/contract/topics.ts';
import type { ReceivedWebhook } from '../kernel/contract/webhooks.ts';
import { AppError, fieldRefusal } from '../kernel/http/errors.ts';
import { KafkaError, type OutgoingMessage, type Producer } from '../kernel/kafka/port.ts';
import type { Metrics } from '../kernel/metrics.ts';
import type { Delivered } from '../kernel/webhooks/router.ts';

/**
 * Writes received webhooks to their topics and answers once all in-sync replicas have them. A request that fails may
 * have been written all the same; the provider then repeats it, and the consumers' dedupe key makes that safe.
 */
export function deliverToKafka(producer: Pick<Producer, 'send' | 'queuedMessages'>, metrics: Metrics) {
  return async (webhooks: ReceivedWebhook[]): Promise<Delivered[]> => {
    const messages = webhooks.map(toMessage);
    // The topic takes more than the consumers read: what they would put aside must not be acknowledged.
    if (messages.some(({ value }) => Buffer.byteLength(value!) > webhookMessageMaxBytes)) throw tooLarge();
    const stop = metrics.produceDuration.startTimer();
    try {
      // All webhooks of a request in one call, so that they are stored or refused together.
      await producer.send(messages);
      stop({ outcome: 'stored' });
    } catch (error) {
      stop({ outcome: error instanceof KafkaError ? error.code : 'failed' });
      throw refusal(error);
    } finally {
      metrics.queueLength.set(producer.queuedMessages);
    }
    for (const webhook of webhooks) metrics.webhooks.inc({ provider: webhook.provider, verdict: 'accepted' });
    return webhooks.map(({ event }) => ({
      data: { provider_event_id: event.providerEventId, verdict: 'accepted' },
    }));
  };
}

/**
 * The message of a webhook. Its key keeps one user's webhooks in order. Where the provider does not know the user, the
 * order stands in; a webhook of a type that is not mapped concerns neither and lies wherever its own id puts it.
 */
export function toMessage(webhook: ReceivedWebhook): OutgoingMessage {
  const { event, requestId } = webhook;
  const key = event.target === 'none' ? event.providerEventId : (event.userId ?? event.orderId);
  return {
    topic: event.target === 'dispute' ? webhookTopics.disputes : webhookTopics.orders,
    key,
    value: serializeReceived(webhook),
    headers: { 'correlation-id': requestId },
  };
}

function refusal(error: unknown): unknown {
  if (!(error instanceof KafkaError)) return error;
  if (error.code === 'queue_full') {
    return new AppError('rate_limited', 'Too many webhooks are waiting. Repeat this one later.', {
      retryAfterSeconds: 1,
      cause: error,
    });
  }
  if (error.code === 'message_too_large') return tooLarge(error);
  return new AppError('service_unavailable', 'The broker cannot be reached. Repeat the request later.', {
    retryAfterSeconds: 1,
    cause: error,
  });
}

function tooLarge(cause?: KafkaError): AppError {
  return fieldRefusal('payload_too_large', 'body', 'the webhook is too large to be stored', { cause });
}
