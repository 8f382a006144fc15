import {
  type ConsumerConfig,
  type Consumer as KafkajsConsumer,
  type PartitionAssigner,
  PartitionAssigners,
} from 'kafkajs';
import type { Logger } from 'pino';
import { orAborted, pause } from '../wait.ts';
import { type BatchRunner, createBatchRunner } from './kafkajs-batch.ts';
import { answerWithin, isExpelled, isTransient, toKafkaError } from './kafkajs-errors.ts';
import type { Session } from './kafkajs-session.ts';
import { type Consumer, type ConsumerOptions, type ConsumerRun, KafkaError, type TopicPartition } from './port.ts';

export interface ConsumerContext {
  open(requestTimeoutMs: number): Session;
  /** Fails with `unknown_topic` for topics that don't exist. */
  requireTopics(topics: readonly string[]): Promise<void>;
  logger: Logger;
}

const closingTimeoutMs = 10_000;
/** For so long a killed process holds its partitions up. Brokers refuse less unless their settings allow it. */
const defaultSessionMs = 6_000;

/**
 * For every request but that to join, which kafkajs gives the group's own time. On a connection that died without a word
 * it asks three times, so this decides for how long nothing is consumed.
 */
const requestTimeoutMs = 5_000;

export function createKafkajsConsumer(context: ConsumerContext, options: ConsumerOptions): Consumer {
  return new KafkajsMember(context, options);
}

/**
 * A member of a group that is made anew when it breaks: kafkajs gives up for good after some errors (the group's
 * coordinator was away for too long, say), and its consumer then stands still without a word.
 */
class KafkajsMember implements Consumer {
  readonly #context: ConsumerContext;
  readonly #options: ConsumerOptions;
  readonly #closing = new AbortController();
  #assigned: readonly TopicPartition[] = [];
  #lives: Promise<void> | undefined;
  /** The member that the last life was, until it has left the group. */
  #formerMember: string | undefined;

  constructor(context: ConsumerContext, options: ConsumerOptions) {
    this.#context = context;
    this.#options = options;
  }

  get assigned(): readonly TopicPartition[] {
    return this.#assigned;
  }

  async run(run: ConsumerRun): Promise<void> {
    if (this.#closing.signal.aborted) throw new KafkaError('closed', 'The consumer is closed.');
    if (this.#lives) throw new KafkaError('failed', 'The consumer runs already.');
    await new Promise<void>((resolve, reject) => {
      const refused = (error: KafkaError): void => {
        this.#lives = undefined;
        reject(error);
      };
      this.#lives = this.#liveOn(run, resolve, refused).finally(() =>
        reject(new KafkaError('closed', 'The consumer was closed before it had joined.')),
      );
    });
  }

  async close(): Promise<void> {
    this.#closing.abort(new KafkaError('closed', 'The consumer closes.'));
    await this.#lives;
  }

  /** One life after the other, until the consumer closes or its topics don't exist. */
  async #liveOn(run: ConsumerRun, joined: () => void, refused: (error: KafkaError) => void): Promise<void> {
    const { signal } = this.#closing;
    const { groupId } = this.#options;
    let hasJoined = false;
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.#live(run, () => {
          hasJoined = true;
          failures = 0;
          joined();
        });
      } catch (error) {
        if (signal.aborted) return;
        const known = toKafkaError(error);
        if (!hasJoined && known.code === 'unknown_topic') return refused(known);
        failures += 1;
        this.#context.logger.debug({ err: error, groupId }, 'the consumer starts again');
        if (!isTransient(error) || failures > 5) run.onError?.(known, { attempt: failures });
        await pause(Math.min(1_000, 100 * 2 ** failures), signal);
      }
    }
  }

  /** From joining to a break that kafkajs does not mend, which it throws, or to the end. */
  async #live(run: ConsumerRun, joined: () => void): Promise<never> {
    await this.#orClosed(this.#context.requireTopics(run.topics));
    const heartbeatMs = Math.max(100, Math.floor((this.#options.sessionTimeoutMs ?? defaultSessionMs) / 6));
    const batches = createBatchRunner({ run, heartbeatMs, maxMessages: this.#options.maxBatchMessages ?? 1_000 });
    const session = this.#context.open(requestTimeoutMs);
    let cluster: GroupCluster | undefined;
    let hasRun = false;
    const assigner = watched({
      onCluster: (own) => {
        cluster = own as GroupCluster;
      },
      onRevoked: () => {
        batches.revokeAll();
        this.#assigned = [];
      },
    });
    const consumer = session.kafka.consumer(consumerConfig(this.#options, heartbeatMs, assigner));
    const crashed = new Promise<unknown>((resolve) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => resolve(payload.error));
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      this.#assigned = partitionsOf(payload.memberAssignment as Record<string, number[]>);
      this.#formerMember = payload.memberId;
      run.onAssignment?.(this.#assigned);
      joined();
    });
    try {
      await this.#orClosed(consumer.connect());
      if (this.#formerMember !== undefined) {
        await this.#orClosed(leave(cluster!, this.#options.groupId, this.#formerMember));
      }
      this.#formerMember = undefined;
      await this.#orClosed(consumer.subscribe({ topics: [...run.topics], fromBeginning: true }));
      hasRun = true;
      this.#consume(consumer, batches);
      throw await this.#orClosed(crashed);
    } finally {
      if (this.#closing.signal.aborted && hasRun) {
        batches.endWaiting();
        await answerWithin(closingTimeoutMs, consumer.disconnect(), 'leaving the group').catch(() => {});
      }
      batches.revokeAll();
      batches.stop();
      this.#assigned = [];
      session.cut();
    }
  }

  #consume(consumer: KafkajsConsumer, batches: BatchRunner): void {
    const running = consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: this.#options.concurrency ?? 1,
      eachBatch: (payload) => batches.handle(payload),
    });
    // What breaks it comes as an event.
    running.catch(() => {});
  }

  /** The end does not wait for a broker that does not answer. */
  #orClosed<T>(work: Promise<T>): Promise<T> {
    return orAborted(work, this.#closing.signal);
  }
}

function consumerConfig(options: ConsumerOptions, heartbeatMs: number, assigner: PartitionAssigner): ConsumerConfig {
  return {
    groupId: options.groupId,
    sessionTimeout: options.sessionTimeoutMs ?? defaultSessionMs,
    rebalanceTimeout: options.rebalanceTimeoutMs ?? 60_000,
    heartbeatInterval: heartbeatMs,
    // A fetch without data delays what follows it: heartbeats, resumed partitions, the end.
    maxWaitTimeInMs: options.gather?.maxWaitMs ?? 250,
    ...(options.gather && { minBytes: options.gather.minBytes }),
    metadataMaxAge: 30_000,
    allowAutoTopicCreation: false,
    retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: async () => false },
    partitionAssigners: [assigner],
  };
}

function partitionsOf(assignment: Record<string, number[]>): TopicPartition[] {
  return Object.entries(assignment).flatMap(([topic, partitions]) =>
    partitions.map((partition) => ({ topic, partition })),
  );
}

/** What kafkajs hands to assigners, with a request that its declarations leave out. */
interface GroupCluster {
  findGroupCoordinator(group: { groupId: string }): Promise<{
    leaveGroup(member: { groupId: string; memberId: string }): Promise<unknown>;
  }>;
}

/**
 * Takes a member out of its group that we were and can't be again. Without it the group would wait for that member
 * until its session ends: that long nothing would be consumed after every restart of the broker.
 */
async function leave(cluster: GroupCluster, groupId: string, memberId: string): Promise<void> {
  try {
    const coordinator = await cluster.findGroupCoordinator({ groupId });
    await coordinator.leaveGroup({ groupId, memberId });
  } catch (error) {
    if (!isExpelled(error)) throw error;
  }
}

/** The usual assigner, which tells when the member asks for other partitions: from then on it owns none. */
function watched(tell: { onCluster(cluster: unknown): void; onRevoked(): void }): PartitionAssigner {
  return (config) => {
    tell.onCluster(config.cluster);
    const inner = PartitionAssigners.roundRobin(config);
    return {
      name: inner.name,
      version: inner.version,
      assign: (group) => inner.assign(group),
      protocol: (subscription) => {
        tell.onRevoked();
        return inner.protocol(subscription);
      },
    };
  };
}
