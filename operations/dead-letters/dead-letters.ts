import { randomUUID } from 'node:crypto';
import { domainTopics } from '../../kernel/contract/envelope.ts';
import { type Failure, readFailure, withoutFailure } from '../../kernel/contract/failure-headers.ts';
import { sendMoved } from '../../kernel/contract/moved-message.ts';
import { deadLetterTopic, webhookTopics } from '../../kernel/contract/topics.ts';
import {
  type KafkaClient,
  KafkaError,
  type KafkaMessage,
  type OutgoingMessage,
  type PartitionOffsets,
} from '../../kernel/kafka/port.ts';

/** A message that could not be applied, as it lies in a dead-letter topic. */
export interface DeadLetter extends Omit<Failure, 'retryAtMs'> {
  /** `<topic>/<partition>/<offset>`: what the commands take. */
  id: string;
  key: string | null;
  value: Buffer | null;
  headers: Readonly<Record<string, string>>;
  /** Unix ms at which it was last sent back to its source; null when it never was. */
  replayedAtMs: number | null;
}

/** Those of the webhooks, and those of the domain's events, which only Debezium's way to ClickHouse makes. */
const deadLetterTopics: readonly string[] = [webhookTopics, domainTopics].flatMap(Object.values).map(deadLetterTopic);

/** Headers of the note that says of a dead letter that it was sent back. The note lies in the same topic. */
const noteHeaders = { id: 'replayed-id', at: 'replayed-at-ms' } as const;

/** Every message of the dead-letter topics, oldest first. Reads up to their ends as they are now. */
export async function readDeadLetters(
  kafka: KafkaClient,
  topics: readonly string[] = deadLetterTopics,
  timeoutMs = 30_000,
): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  const replayed = new Map<string, number>();
  const read = async (topic: string): Promise<void> => {
    for (const { partition, message } of await readTopic(kafka, topic, timeoutMs)) {
      const noted = message.headers[noteHeaders.id];
      if (noted !== undefined) replayed.set(noted, Number(message.headers[noteHeaders.at]));
      else letters.push(toLetter(topic, partition, message));
    }
  };
  await Promise.all(topics.map(read));
  return letters
    .map((letter) => ({ ...letter, replayedAtMs: replayed.get(letter.id) ?? null }))
    .sort((a, b) => a.failedAtMs - b.failedAtMs);
}

function toLetter(topic: string, partition: number, message: KafkaMessage): DeadLetter {
  const { retryAtMs: _retryAtMs, ...failure } = readFailure({ topic, partition }, message);
  const { key, value, headers } = message;
  return { ...failure, id: `${topic}/${partition}/${message.offset}`, key, value, headers, replayedAtMs: null };
}

/**
 * Sends dead letters back to the topics that they came from, as if they were new, and leaves a note beside each. Their
 * effects are deduplicated like those of any other repetition.
 */
export async function replayDeadLetters(
  kafka: KafkaClient,
  letters: readonly DeadLetter[],
  nowMs: number,
): Promise<void> {
  const producer = kafka.createProducer({ timeoutMs: 30_000 });
  try {
    for (let start = 0; start < letters.length; start += 100) {
      const batch = letters.slice(start, start + 100);
      await sendMoved(
        producer,
        batch.map((letter) => original(letter)),
      );
      // Only now: a note without its message would hide a letter that nobody has sent.
      await producer.send(batch.map((letter) => note(letter, nowMs)));
    }
  } finally {
    await producer.close();
  }
}

function original({ source, key, value, headers }: DeadLetter): OutgoingMessage {
  return { topic: source.topic, key, value, headers: withoutFailure(headers) };
}

function note({ id, key }: DeadLetter, nowMs: number): OutgoingMessage {
  const topic = id.split('/', 1)[0]!;
  return { topic, key, value: null, headers: { [noteHeaders.id]: id, [noteHeaders.at]: String(nowMs) } };
}

/** The messages that a topic holds, none where it does not exist; by a consumer group that nobody uses twice. */
async function readTopic(
  kafka: KafkaClient,
  topic: string,
  timeoutMs: number,
): Promise<{ partition: number; message: KafkaMessage }[]> {
  const partitions = await kafka.topicOffsets(topic).catch((error: unknown) => {
    if (error instanceof KafkaError && error.code === 'unknown_topic') return [];
    throw error;
  });
  const offsets = partitions.filter(({ start, end }) => end > start);
  if (offsets.length === 0) return [];
  const found: { partition: number; message: KafkaMessage }[] = [];
  const missing = new Map(offsets.map(({ partition, end }: PartitionOffsets) => [partition, end]));
  const complete = Promise.withResolvers<void>();
  const consumer = kafka.createConsumer({ groupId: `lab-dlq-${randomUUID()}` });
  const timer = setTimeout(
    () => complete.reject(new Error(`${topic} could not be read within ${timeoutMs} ms.`)),
    timeoutMs,
  );
  try {
    await consumer.run({
      topics: [topic],
      onBatch: async ({ partition, messages }) => {
        const end = missing.get(partition);
        if (end === undefined) return;
        for (const message of messages) if (message.offset < end) found.push({ partition, message });
        if (messages.at(-1)!.offset + 1n >= end) missing.delete(partition);
        if (missing.size === 0) complete.resolve();
      },
    });
    await complete.promise;
  } finally {
    clearTimeout(timer);
    await consumer.close();
  }
  return found.sort((a, b) => a.partition - b.partition || Number(a.message.offset - b.message.offset));
}
