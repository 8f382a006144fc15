import { setTimeout as delay } from 'node:timers/promises';
import { type ICustomPartitioner, type Producer as KafkajsProducer, type Message, Partitioners } from 'kafkajs';
import type { Logger } from 'pino';
import { answerWithin, isHopeless, isProducerForgotten, protocolError, toKafkaError } from './kafkajs-errors.ts';
import type { Session } from './kafkajs-session.ts';
import { KafkaError, type OutgoingMessage, type Producer, type ProducerOptions } from './port.ts';

export interface ProducerContext {
  open(requestTimeoutMs: number): Session;
  /** Largest message of each topic; fails for topics that don't exist. */
  messageLimits(topics: readonly string[]): Promise<Map<string, number>>;
  logger: Logger;
}

/** One `send`, which is answered once all its messages are. */
interface Call {
  unanswered: number;
  bytes: number;
  settled: boolean;
  settle(error?: KafkaError): void;
}

interface Item {
  topic: string;
  message: Message;
  bytes: number;
  call: Call;
}

/** A record costs some bytes of its own beside key, value and headers; this is never too little. */
const recordOverheadBytes = 128;
const maxRequestMessages = 5_000;
const maxRequestBytes = 8 * 1024 * 1024;
const pauseMs = 100;

/**
 * kafkajs gives a failed request's sequence numbers back at once, and hands them to whatever is sent next. Where the
 * broker had stored the failed request, it takes the next one for its repetition and acknowledges what it never stored.
 * Hence three rules here: one request at a time; a request is repeated with exactly the messages and partitions that it
 * had; and before anything else is sent after a request of unknown fate, the producer id is given up for a new one.
 */
export function createKafkajsProducer(context: ProducerContext, options: ProducerOptions = {}): Producer {
  const { timeoutMs = 5_000, maxQueuedMessages = 100_000, maxQueuedBytes = 64 * 1024 * 1024 } = options;
  const queue: Item[] = [];
  const limits = new Map<string, number>();
  let queuedMessages = 0;
  let queuedBytes = 0;
  let draining: Promise<void> | undefined;
  let closed = false;
  let connection: { session: Session; producer: KafkajsProducer } | undefined;
  let largestRequest = maxRequestMessages;
  let lastError: unknown;
  let isAway = false;

  const giveUpConnection = () => {
    connection?.session.cut();
    connection = undefined;
  };

  const attempt = async (request: readonly Item[]): Promise<void> => {
    if (!connection) {
      // kafkajs asks twice: who meets a connection that died silently is told so, and the next call finds another one.
      const session = context.open(Math.max(500, Math.floor(timeoutMs / 2)));
      const createPartitioner = pinnedPartitioner();
      const producer = session.kafka.producer({ idempotent: true, allowAutoTopicCreation: false, createPartitioner });
      connection = { session, producer };
    }
    await connection.producer.connect();
    await connection.producer.sendBatch({ acks: -1, topicMessages: byTopic(request) });
  };

  /** Resolves when the request has been answered, or no caller waits for its answer any more. */
  const deliver = async (request: readonly Item[]): Promise<void> => {
    while (true) {
      try {
        await attempt(request);
        for (const { call } of request) {
          call.unanswered -= 1;
          if (call.unanswered === 0) call.settle();
        }
        if (isAway) context.logger.info('the broker is back');
        isAway = false;
        largestRequest = maxRequestMessages;
        return;
      } catch (error) {
        lastError = error;
        if (isHopeless(error)) {
          giveUpConnection();
          if (request.length === 1) request[0]!.call.settle(toKafkaError(error));
          else {
            // One message may spoil the others: smaller requests find it.
            largestRequest = Math.ceil(request.length / 2);
            queue.unshift(...request);
          }
          return;
        }
        if (!isAway && protocolError(error) === undefined) {
          context.logger.warn({ err: error }, 'the broker does not answer');
          isAway = true;
        }
        if (isProducerForgotten(error)) giveUpConnection();
        if (request.every(({ call }) => call.settled)) {
          giveUpConnection();
          return;
        }
        await delay(pauseMs);
      }
    }
  };

  const drain = async (): Promise<void> => {
    // The caller notes first that this runs.
    await null;
    while (queue.length > 0) {
      const request = takeRequest(queue, limits, largestRequest);
      if (request.length > 0) await deliver(request);
    }
    // At once and not by the caller that waits for the end: what is sent in between would lie until the next send.
    draining = undefined;
  };

  const enqueue = (items: readonly Item[], call: Call) => {
    for (const { topic, bytes } of items) {
      const limit = limits.get(topic)!;
      if (bytes > limit) {
        const text = `A message of ${bytes} bytes is larger than ${topic} takes (${limit}).`;
        call.settle(new KafkaError('message_too_large', text));
        return;
      }
    }
    for (const item of items) queue.push(item);
    draining ??= drain();
  };

  const send = (messages: readonly OutgoingMessage[]): Promise<void> =>
    new Promise((resolve, reject) => {
      if (closed) return reject(new KafkaError('closed', 'The producer is closed.'));
      if (messages.length === 0) return resolve();
      const sizes = messages.map(sizeOf);
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      if (queuedMessages + messages.length > maxQueuedMessages || queuedBytes + bytes > maxQueuedBytes) {
        return reject(new KafkaError('queue_full', `${queuedMessages} messages wait for the broker.`));
      }
      queuedMessages += messages.length;
      queuedBytes += bytes;
      const call: Call = {
        unanswered: messages.length,
        bytes,
        settled: false,
        settle: (error) => {
          if (call.settled) return;
          call.settled = true;
          clearTimeout(timer);
          queuedMessages -= messages.length;
          queuedBytes -= bytes;
          if (error) reject(error);
          else resolve();
        },
      };
      const timer = setTimeout(() => {
        const text = `The broker did not acknowledge within ${timeoutMs} ms.`;
        const code = protocolError(lastError) === 'UNKNOWN_TOPIC_OR_PARTITION' ? 'unknown_topic' : 'broker_unavailable';
        call.settle(new KafkaError(code, text, { cause: lastError }));
      }, timeoutMs);
      const items = messages.map(({ topic, key, value, headers = {} }, index) => ({
        topic,
        message: { key, value, headers },
        bytes: sizes[index]!,
        call,
      }));
      const unknown = [...new Set(messages.map(({ topic }) => topic))].filter((topic) => !limits.has(topic));
      if (unknown.length === 0 && learners === 0) return enqueue(items, call);
      void learn(unknown, call).then(() => !call.settled && enqueue(items, call));
    });

  /** Asks for the topics' limits until the call's time is up. Calls ask one after the other and so keep their order. */
  let learning: Promise<void> = Promise.resolve();
  let learners = 0;
  const learn = (topics: readonly string[], call: Call): Promise<void> => {
    learners += 1;
    learning = learning.then(async () => {
      while (!call.settled && topics.some((topic) => !limits.has(topic))) {
        try {
          for (const [topic, limit] of await context.messageLimits(topics)) limits.set(topic, limit);
        } catch (error) {
          lastError = error;
          const known = toKafkaError(error);
          if (known.code === 'unknown_topic') call.settle(known);
          else await delay(pauseMs);
        }
      }
      learners -= 1;
    });
    return learning;
  };

  return {
    send,
    get queuedMessages() {
      return queuedMessages;
    },
    close: async () => {
      closed = true;
      await learning;
      await draining;
      if (connection) await answerWithin(1_000, connection.producer.disconnect(), 'closing').catch(() => {});
      giveUpConnection();
    },
  };
}

/** The queue's first items that fit into one request; those whose call has its answer are dropped. */
function takeRequest(queue: Item[], limits: ReadonlyMap<string, number>, maxItems: number): Item[] {
  const request: Item[] = [];
  const bytesByTopic = new Map<string, number>();
  let bytes = 0;
  let taken = 0;
  for (const item of queue) {
    if (!item.call.settled) {
      // All messages of a partition travel as one batch, which the topic's limit applies to.
      const ofTopic = (bytesByTopic.get(item.topic) ?? 0) + item.bytes;
      const isFull = request.length >= maxItems || bytes + item.bytes > maxRequestBytes;
      if (request.length > 0 && (isFull || ofTopic > limits.get(item.topic)!)) break;
      bytesByTopic.set(item.topic, ofTopic);
      bytes += item.bytes;
      request.push(item);
    }
    taken += 1;
  }
  queue.splice(0, taken);
  return request;
}

function byTopic(request: readonly Item[]): { topic: string; messages: Message[] }[] {
  const topics = new Map<string, Message[]>();
  for (const { topic, message } of request) {
    const messages = topics.get(topic);
    if (messages) messages.push(message);
    else topics.set(topic, [message]);
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
}

/** The client's usual choice (by the key's murmur2 hash), made once a message: a repetition goes to the same place. */
function pinnedPartitioner(): ICustomPartitioner {
  return () => {
    const choose = Partitioners.DefaultPartitioner();
    const chosen = new WeakMap<Message, number>();
    return (args) => {
      const partition = chosen.get(args.message) ?? choose(args);
      chosen.set(args.message, partition);
      return partition;
    };
  };
}

function sizeOf({ key, value, headers }: OutgoingMessage): number {
  let bytes = recordOverheadBytes + (key === null ? 0 : Buffer.byteLength(key));
  if (value !== null) bytes += Buffer.byteLength(value);
  for (const [name, text] of Object.entries(headers ?? {}))
    bytes += Buffer.byteLength(name) + Buffer.byteLength(text) + 8;
  return bytes;
}
