import type { TopicSpec } from '../kafka/port.ts';
import { domainTopics } from './envelope.ts';

/** What the gateway writes and the API's consumers read. Keyed by user, so that one user's webhooks keep their order. */
export const webhookTopics = { orders: 'webhooks.orders', disputes: 'webhooks.disputes' } as const;

/** Where messages wait that could not be applied and may be later. */
export function retryTopic(source: string): string {
  return `${source}.retry`;
}

/** Where messages end that could not be applied, with the reason in their headers. */
export function deadLetterTopic(source: string): string {
  return `${source}.dlq`;
}

/** The topic that a message of a retry or dead-letter topic came from; any other topic itself. */
export function sourceTopic(topic: string): string {
  return topic.replace(/\.(retry|dlq)$/, '');
}

/** The topics with what the gateway writes, and those in which what could not be applied yet waits. */
export const sourceTopics: readonly string[] = Object.values(webhookTopics);
export const retryTopics: readonly string[] = sourceTopics.map(retryTopic);

/** The consumer group of the retry topics, named after the one of the webhook topics. */
export function retryGroup(groupId: string): string {
  return `${groupId}-retry`;
}

const dayMs = 24 * 60 * 60_000;

/** Largest message of a webhook topic: a body of 256 KiB doubles at most when it is quoted, and its event comes on top. */
export const webhookMessageMaxBytes = 2 * 1024 * 1024;

/** The topics between gateway and API. They are created by the service that starts first, and never by writing to them. */
export const webhookTopicSpecs: readonly TopicSpec[] = Object.values(webhookTopics).flatMap((name) => [
  // The broker syncs each partition's log before it acknowledges: more partitions than consumers cost and buy nothing.
  topic(name, 2, { retentionDays: 7, maxMessageBytes: 2 * webhookMessageMaxBytes }),
  // One partition: the order of what is late already means nothing, and a few messages need no parallel work.
  topic(retryTopic(name), 1, { retentionDays: 7, maxMessageBytes: 2 * webhookMessageMaxBytes + 65_536 }),
  topic(deadLetterTopic(name), 1, { retentionDays: 30, maxMessageBytes: 2 * webhookMessageMaxBytes + 65_536 }),
]);

/** The topics between change data capture and the consumers of the domain's events. */
export const domainTopicSpecs: readonly TopicSpec[] = Object.values(domainTopics).map((name) => {
  const spec = topic(name, 2, { retentionDays: 7, maxMessageBytes: 4 * 1024 * 1024 });
  // The writer's time is when Debezium read the row, which a header holds; this one is when the broker had it.
  return { ...spec, settings: { ...spec.settings, 'message.timestamp.type': 'LogAppendTime' } };
});

function topic(
  name: string,
  partitions: number,
  { retentionDays, maxMessageBytes }: { retentionDays: number; maxMessageBytes: number },
): TopicSpec {
  const settings = {
    'cleanup.policy': 'delete',
    'retention.ms': String(retentionDays * dayMs),
    'max.message.bytes': String(maxMessageBytes),
  };
  return { name, partitions, settings };
}
