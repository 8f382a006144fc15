/**
 * What the lab needs of a Kafka client, and nothing of any client's own words. `kafkajs.ts` implements it; another
 * client replaces that file and has to pass the same conformance suite.
 */
export interface KafkaClient {
  /**
   * Creates the topics that don't exist. An existing topic gets missing partitions (never fewer) and the given
   * settings. Safe to call from several processes at once.
   */
  ensureTopics(topics: readonly TopicSpec[]): Promise<void>;
  /** Does not connect yet: it works, and `send` fails in time, while the broker is away. */
  createProducer(options?: ProducerOptions): Producer;
  createConsumer(options: ConsumerOptions): Consumer;
  /** What the group has not processed yet, one row per partition of the topics. */
  groupLag(groupId: string, topics: readonly string[]): Promise<PartitionLag[]>;
  /** First and next offset of each partition. @throws KafkaError `unknown_topic`. */
  topicOffsets(topic: string): Promise<PartitionOffsets[]>;
  /** Resolves when the broker answers within `timeoutMs`. @throws KafkaError `broker_unavailable`. For health checks. */
  ping(timeoutMs: number): Promise<void>;
  /** Closes what was created from this client too. */
  close(): Promise<void>;
}

export interface TopicSpec {
  name: string;
  partitions: number;
  /** Settings of the topic, https://kafka.apache.org/documentation/#topicconfigs */
  settings: Readonly<Record<string, string>>;
}

export interface ProducerOptions {
  /** How long `send` may take until it gives up. */
  timeoutMs?: number;
  /** Messages that may wait for their acknowledgement; `send` fails at once with `queue_full` above it. */
  maxQueuedMessages?: number;
  /** Their size together, keys and headers included. */
  maxQueuedBytes?: number;
}

export interface OutgoingMessage {
  topic: string;
  /** Messages of one key keep their order. Null spreads them over the partitions. */
  key: string | null;
  value: Buffer | string | null;
  headers?: Readonly<Record<string, string>>;
}

/** Writes with acks=all, idempotently: a retry inside the client writes nothing twice. */
export interface Producer {
  /**
   * Resolves once every message is stored by all in-sync replicas; calls that overlap share requests.
   * @throws KafkaError within the time budget. After `broker_unavailable` and `failed` messages may still have been
   * written, so the caller repeats them and the reader deduplicates; every other code means that none of them was.
   */
  send(messages: readonly OutgoingMessage[]): Promise<void>;
  /** Messages without an answer yet. */
  readonly queuedMessages: number;
  /** Waits for what is queued, at most the time budget. */
  close(): Promise<void>;
}

export interface ConsumerOptions {
  /** A group without an offset begins with the oldest message. */
  groupId: string;
  /** Messages per `onBatch` at most. */
  maxBatchMessages?: number;
  /**
   * A fetch is answered when this many bytes are there, or after so long: larger batches, fewer requests, and messages
   * that are later by that time when there are few of them. At once when left out.
   */
  gather?: { minBytes: number; maxWaitMs: number };
  /** A member that is silent for so long is dead to its group, and its partitions move; six seconds when left out. */
  sessionTimeoutMs?: number;
  /** How long a rebalance waits for a batch in progress. */
  rebalanceTimeoutMs?: number;
  /** Partitions that are worked on at the same time; one partition is always worked on in order. */
  concurrency?: number;
}

export interface KafkaMessage {
  offset: bigint;
  key: string | null;
  /** Null is a tombstone. */
  value: Buffer | null;
  headers: Readonly<Record<string, string>>;
  /** Unix time at which the producer made it or the broker appended it, by the topic's setting. */
  timestampMs: number;
}

export interface Batch {
  topic: string;
  partition: number;
  /** At least one, in the order of the partition. */
  messages: readonly KafkaMessage[];
  /** The offset that the partition's next message will get. */
  highWatermark: bigint;
  /**
   * Aborted when the consumer closes or the partition may belong to another member: a handler that waits should stop waiting
   * and throw. Work in hand may overlap with the next owner's, so effects have to be idempotent.
   */
  signal: AbortSignal;
}

export interface ConsumerRun {
  topics: readonly string[];
  /**
   * The batch's offsets are committed after this resolves, and only then. When it throws, the same messages come again
   * after a pause that grows with the number of failures (at most `retryMaxMs`), or that a `Postpone` asks for; the
   * other partitions go on meanwhile. While it runs, only as many partitions as `concurrency` says are worked on.
   */
  onBatch(batch: Batch): Promise<void>;
  /** Told of every failure of `onBatch` and of every restart after a broken connection. */
  onError?(error: unknown, where: { topic?: string; partition?: number; attempt?: number }): void;
  /** Told when partitions come and go. */
  onAssignment?(assigned: readonly TopicPartition[]): void;
  retryMaxMs?: number;
}

/** Thrown by `onBatch`: the same messages again after so long. It is no failure, and `onError` is not told. */
export class Postpone extends Error {
  readonly delayMs: number;

  constructor(delayMs: number, message = `postponed by ${delayMs} ms`) {
    super(message);
    this.delayMs = delayMs;
  }
}

export interface TopicPartition {
  topic: string;
  partition: number;
}

/**
 * A member of a consumer group. It heartbeats while a batch is worked on, survives a broker that goes away and comes
 * back, and never commits for a partition that it no longer owns.
 */
export interface Consumer {
  /** Resolves once the member has joined and knows its partitions. @throws KafkaError `unknown_topic` naming it. */
  run(run: ConsumerRun): Promise<void>;
  readonly assigned: readonly TopicPartition[];
  /** Lets the batches in hand end and commits them, then leaves the group. */
  close(): Promise<void>;
}

export interface PartitionLag extends TopicPartition {
  /** Next offset that the group will process; null before its first commit. */
  committed: bigint | null;
  end: bigint;
  /** Messages between the two; all that are stored when there is no commit. */
  lag: bigint;
}

export interface PartitionOffsets {
  partition: number;
  /** Offset of the oldest message that is stored. */
  start: bigint;
  end: bigint;
}

export type KafkaErrorCode =
  | 'broker_unavailable'
  | 'unknown_topic'
  | 'message_too_large'
  | 'queue_full'
  | 'closed'
  | 'failed';

/** The only error that leaves this folder. */
export class KafkaError extends Error {
  readonly code: KafkaErrorCode;

  constructor(code: KafkaErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
