import { movedMessage } from '../../kernel/contract/moved-message.ts';
import { deadLetterTopic } from '../../kernel/contract/topics.ts';
import type { Batch, KafkaMessage, OutgoingMessage, TopicSpec } from '../../kernel/kafka/port.ts';

/** Dead letters of the domain topics: few, kept for a month, in one partition. */
export function deadLetterSpecs(topics: readonly TopicSpec[]): TopicSpec[] {
  return topics.map((topic) => ({
    name: deadLetterTopic(topic.name),
    partitions: 1,
    settings: { ...topic.settings, 'retention.ms': String(30 * 24 * 60 * 60_000) },
  }));
}

/** The message as it came, with where it came from and why it is put aside in its headers, as all dead letters have it. */
export function deadLetter(
  batch: Pick<Batch, 'topic' | 'partition'>,
  message: KafkaMessage,
  failure: { reason: string; detail: string; failedAtMs: number },
): OutgoingMessage {
  return movedMessage(deadLetterTopic(batch.topic), message, {
    source: { topic: batch.topic, partition: batch.partition, offset: message.offset.toString() },
    ...failure,
    attempts: 1,
    retryAtMs: null,
  });
}
