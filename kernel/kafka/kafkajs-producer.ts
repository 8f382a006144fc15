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

export function createKafkajsProducer(context: ProducerContext, options: ProducerOptions = {}): Producer {
  return new KafkajsQueue(context, options);
}

/**
 * kafkajs gives a failed request's sequence numbers back at once, and hands them to whatever is sent next. Where the
 * broker had stored the failed request, it takes the next one for its repetition and acknowledges what it never stored.
 * Hence three rules here: one request at a time; a request is repeated with exactly the messages and partitions that it
 * had; and before anything else is sent after a request of unknown fate, the producer id is given up for a new one.
 */
class KafkajsQueue implements Producer {
  readonly #context: ProducerContext;
  readonly #timeoutMs: number;
  readonly #maxQueuedMessages: number;
  readonly #maxQueuedBytes: number;
  readonly #queue: Item[] = [];
  readonly #limits = new Map<string, number>();
  #queuedMessages = 0;
  #queuedBytes = 0;
  #draining: Promise<void> | undefined;
  #learning: Promise<void> = Promise.resolve();
  #learners = 0;
  #closed = false;
  #connection: { session: Session; producer: KafkajsProducer } | undefined;
  #largestRequest = maxRequestMessages;
  #lastError: unknown;
  #isAway = false;

  constructor(context: ProducerContext, options: ProducerOptions) {
    this.#context = context;
    this.#timeoutMs = options.timeoutMs ?? 5_000;
    this.#maxQueuedMessages = options.maxQueuedMessages ?? 100_000;
    this.#maxQueuedBytes = options.maxQueuedBytes ?? 64 * 1024 * 1024;
  }

  get queuedMessages(): number {
    return this.#queuedMessages;
  }

  send(messages: readonly OutgoingMessage[]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new KafkaError('closed', 'The producer is closed.'));
      if (messages.length === 0) return resolve();
      const sizes = messages.map(sizeOf);
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      const isFull =
        this.#queuedMessages + messages.length > this.#maxQueuedMessages ||
        this.#queuedBytes + bytes > this.#maxQueuedBytes;
      if (isFull) {
        return reject(new KafkaError('queue_full', `${this.#queuedMessages} messages wait for the broker.`));
      }
      const call = this.#admit(messages.length, bytes, resolve, reject);
      const items = messages.map(({ topic, key, value, headers = {} }, index) => ({
        topic,
        message: { key, value, headers },
        bytes: sizes[index]!,
        call,
      }));
      const unknown = [...new Set(messages.map(({ topic }) => topic))].filter((topic) => !this.#limits.has(topic));
      if (unknown.length === 0 && this.#learners === 0) return this.#enqueue(items, call);
      void this.#learn(unknown, call).then(() => !call.settled && this.#enqueue(items, call));
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#learning;
    await this.#draining;
    if (this.#connection) {
      await answerWithin(1_000, this.#connection.producer.disconnect(), 'closing').catch(() => {});
    }
    this.#giveUpConnection();
  }

  /** Counts a call as queued, until it has its answer or its time is up. */
  #admit(messages: number, bytes: number, resolve: () => void, reject: (error: KafkaError) => void): Call {
    this.#queuedMessages += messages;
    this.#queuedBytes += bytes;
    const call: Call = {
      unanswered: messages,
      settled: false,
      settle: (error) => {
        if (call.settled) return;
        call.settled = true;
        clearTimeout(timer);
        this.#queuedMessages -= messages;
        this.#queuedBytes -= bytes;
        if (error) reject(error);
        else resolve();
      },
    };
    const timer = setTimeout(() => {
      const text = `The broker did not acknowledge within ${this.#timeoutMs} ms.`;
      const isUnknown = protocolError(this.#lastError) === 'UNKNOWN_TOPIC_OR_PARTITION';
      const code = isUnknown ? 'unknown_topic' : 'broker_unavailable';
      call.settle(new KafkaError(code, text, { cause: this.#lastError }));
    }, this.#timeoutMs);
    return call;
  }

  /** Asks for the topics' limits until the call's time is up. Calls ask one after the other and so keep their order. */
  #learn(topics: readonly string[], call: Call): Promise<void> {
    this.#learners += 1;
    this.#learning = this.#learning.then(async () => {
      while (!call.settled && topics.some((topic) => !this.#limits.has(topic))) {
        try {
          for (const [topic, limit] of await this.#context.messageLimits(topics)) this.#limits.set(topic, limit);
        } catch (error) {
          this.#lastError = error;
          const known = toKafkaError(error);
          if (known.code === 'unknown_topic') call.settle(known);
          else await delay(pauseMs);
        }
      }
      this.#learners -= 1;
    });
    return this.#learning;
  }

  #enqueue(items: readonly Item[], call: Call): void {
    for (const { topic, bytes } of items) {
      const limit = this.#limits.get(topic)!;
      if (bytes > limit) {
        const text = `A message of ${bytes} bytes is larger than ${topic} takes (${limit}).`;
        call.settle(new KafkaError('message_too_large', text));
        return;
      }
    }
    for (const item of items) this.#queue.push(item);
    this.#draining ??= this.#drain();
  }

  async #drain(): Promise<void> {
    // The caller notes first that this runs.
    await null;
    while (this.#queue.length > 0) {
      const request = takeRequest(this.#queue, this.#limits, this.#largestRequest);
      if (request.length > 0) await this.#deliver(request);
    }
    // At once and not by the caller that waits for the end: what is sent in between would lie until the next send.
    this.#draining = undefined;
  }

  /** Resolves when the request has been answered, or no caller waits for its answer any more. */
  async #deliver(request: readonly Item[]): Promise<void> {
    while (true) {
      try {
        await this.#attempt(request);
        this.#acknowledge(request);
        return;
      } catch (error) {
        this.#lastError = error;
        if (isHopeless(error)) return this.#giveUp(request, error);
        if (!this.#isAway && protocolError(error) === undefined) {
          this.#context.logger.warn({ err: error }, 'the broker does not answer');
          this.#isAway = true;
        }
        if (isProducerForgotten(error)) this.#giveUpConnection();
        if (request.every(({ call }) => call.settled)) {
          this.#giveUpConnection();
          return;
        }
        await delay(pauseMs);
      }
    }
  }

  async #attempt(request: readonly Item[]): Promise<void> {
    if (!this.#connection) {
      // kafkajs asks twice: a call that meets a connection that died silently is told so, and the next call finds
      // another one.
      const session = this.#context.open(Math.max(500, Math.floor(this.#timeoutMs / 2)));
      const createPartitioner = pinnedPartitioner();
      const producer = session.kafka.producer({ idempotent: true, allowAutoTopicCreation: false, createPartitioner });
      this.#connection = { session, producer };
    }
    await this.#connection.producer.connect();
    await this.#connection.producer.sendBatch({ acks: -1, topicMessages: byTopic(request) });
  }

  #acknowledge(request: readonly Item[]): void {
    for (const { call } of request) {
      call.unanswered -= 1;
      if (call.unanswered === 0) call.settle();
    }
    if (this.#isAway) this.#context.logger.info('the broker is back');
    this.#isAway = false;
    this.#largestRequest = maxRequestMessages;
  }

  /** Of a request that the broker will never take. */
  #giveUp(request: readonly Item[], error: unknown): void {
    this.#giveUpConnection();
    if (request.length === 1) request[0]!.call.settle(toKafkaError(error));
    else {
      // One message may spoil the others: smaller requests find it.
      this.#largestRequest = Math.ceil(request.length / 2);
      this.#queue.unshift(...request);
    }
  }

  #giveUpConnection(): void {
    this.#connection?.session.cut();
    this.#connection = undefined;
  }
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
