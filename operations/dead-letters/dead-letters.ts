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
import { UsageError } from '../../runtime/usage-error.ts';

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
  const deadLetters: DeadLetter[] = [];
  const replayed = new Map<string, number>();
  const read = async (topic: string): Promise<void> => {
    for (const { partition, message } of await readTopic(kafka, topic, timeoutMs)) {
      const noted = message.headers[noteHeaders.id];
      if (noted !== undefined) replayed.set(noted, Number(message.headers[noteHeaders.at]));
      else deadLetters.push(toDeadLetter(topic, partition, message));
    }
  };
  await Promise.all(topics.map(read));
  return deadLetters
    .map((deadLetter) => ({ ...deadLetter, replayedAtMs: replayed.get(deadLetter.id) ?? null }))
    .sort((a, b) => a.failedAtMs - b.failedAtMs);
}

function toDeadLetter(topic: string, partition: number, message: KafkaMessage): DeadLetter {
  const { retryAtMs: _retryAtMs, ...failure } = readFailure({ topic, partition }, message);
  const { key, value, headers } = message;
  return { ...failure, id: `${topic}/${partition}/${message.offset}`, key, value, headers, replayedAtMs: null };
}

/**
 * Those with these ids, or else all that were not replayed before, where a reason is given only with that one.
 * @throws UsageError that names ids that do not exist.
 */
export function selectForReplay(
  deadLetters: readonly DeadLetter[],
  ids: readonly string[],
  reason?: string,
): DeadLetter[] {
  const unknown = ids.filter((id) => !deadLetters.some((deadLetter) => deadLetter.id === id));
  if (unknown.length > 0) throw new UsageError(`There is no dead letter ${unknown.join(', ')}. See: lab dlq list`);
  // One that is named may go again; a sweep leaves alone what was sent back before.
  if (ids.length > 0) return deadLetters.filter(({ id }) => ids.includes(id));
  return deadLetters.filter(
    (deadLetter) => deadLetter.replayedAtMs === null && (reason === undefined || deadLetter.reason === reason),
  );
}

/**
 * Sends dead letters back to the topics that they came from, as if they were new, and leaves a note beside each. Their
 * effects are deduplicated like those of any other repetition.
 */
export async function replayDeadLetters(
  kafka: KafkaClient,
  deadLetters: readonly DeadLetter[],
  nowMs: number,
): Promise<void> {
  const producer = kafka.createProducer({ timeoutMs: 30_000 });
  try {
    for (let start = 0; start < deadLetters.length; start += 100) {
      const batch = deadLetters.slice(start, start + 100);
      await sendMoved(producer, batch.map(original));
      // Only now: a note without its message would hide a dead letter that was never sent.
      await producer.send(batch.map((deadLetter) => note(deadLetter, nowMs)));
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

/** The messages that a topic holds, none where it does not exist; read by a consumer group of its own. */
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
