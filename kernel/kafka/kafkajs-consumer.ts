import { setTimeout as delay } from 'node:timers/promises';
import { type PartitionAssigner, PartitionAssigners } from 'kafkajs';
import type { Logger } from 'pino';
import { orAborted } from '../wait.ts';
import { createBatchRunner } from './kafkajs-batch.ts';
import { answerWithin, isExpelled, isSettling, toKafkaError } from './kafkajs-errors.ts';
import type { Session } from './kafkajs-session.ts';
import { type Consumer, type ConsumerOptions, type ConsumerRun, KafkaError, type TopicPartition } from './port.ts';

export interface ConsumerContext {
  open(requestTimeoutMs: number): Session;
  /** Fails with `unknown_topic` for topics that don't exist. */
  requireTopics(topics: readonly string[]): Promise<void>;
  logger: Logger;
}

const closingTimeoutMs = 10_000;

/**
 * For every request but that to join, which kafkajs gives the group's own time. On a connection that died without a word
 * it asks three times, so this decides for how long nothing is consumed.
 */
const requestTimeoutMs = 5_000;

/**
 * A member of a group that is made anew when it breaks: kafkajs gives up for good after some errors (the group's
 * coordinator was away for too long, say), and its consumer then stands still without a word.
 */
export function createKafkajsConsumer(context: ConsumerContext, options: ConsumerOptions): Consumer {
  const closing = new AbortController();
  let assigned: readonly TopicPartition[] = [];
  let lives: Promise<void> | undefined;
  /** The member that the last life was, until it has left the group. */
  let formerMember: string | undefined;

  /** The end does not wait for a broker that does not answer. */
  const orClosed = <T>(work: Promise<T>): Promise<T> => orAborted(work, closing.signal);

  /** From joining to a break that kafkajs does not mend, which it throws, or to the end. */
  const live = async (run: ConsumerRun, joined: () => void): Promise<never> => {
    await orClosed(context.requireTopics(run.topics));
    const { sessionTimeoutMs = 10_000, rebalanceTimeoutMs = 60_000 } = options;
    const heartbeatMs = Math.max(100, Math.floor(sessionTimeoutMs / 6));
    const batches = createBatchRunner({ run, heartbeatMs, maxMessages: options.maxBatchMessages ?? 1_000 });
    const session = context.open(requestTimeoutMs);
    let cluster: GroupCluster | undefined;
    let hasRun = false;
    const consumer = session.kafka.consumer({
      groupId: options.groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: rebalanceTimeoutMs,
      heartbeatInterval: heartbeatMs,
      // A fetch without data delays what follows it: heartbeats, resumed partitions, the end.
      maxWaitTimeInMs: options.gather?.maxWaitMs ?? 250,
      ...(options.gather && { minBytes: options.gather.minBytes }),
      metadataMaxAge: 30_000,
      allowAutoTopicCreation: false,
      retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: async () => false },
      partitionAssigners: [
        watched({
          onCluster: (own) => {
            cluster = own as GroupCluster;
          },
          onRevoked: () => {
            batches.revokeAll();
            assigned = [];
          },
        }),
      ],
    });
    const crashed = new Promise<unknown>((resolve) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => resolve(payload.error));
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      assigned = Object.entries(payload.memberAssignment as Record<string, number[]>).flatMap(([topic, partitions]) =>
        partitions.map((partition) => ({ topic, partition })),
      );
      formerMember = payload.memberId;
      run.onAssignment?.(assigned);
      joined();
    });
    try {
      await orClosed(consumer.connect());
      if (formerMember !== undefined) await orClosed(leave(cluster!, options.groupId, formerMember));
      formerMember = undefined;
      await orClosed(consumer.subscribe({ topics: [...run.topics], fromBeginning: true }));
      const running = consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: options.concurrency ?? 1,
        eachBatch: (payload) => batches.handle(payload),
      });
      running.catch(() => {});
      hasRun = true;
      throw await orClosed(crashed);
    } finally {
      if (closing.signal.aborted && hasRun) {
        batches.endWaiting();
        await answerWithin(closingTimeoutMs, consumer.disconnect(), 'leaving the group').catch(() => {});
      }
      batches.revokeAll();
      batches.stop();
      assigned = [];
      session.cut();
    }
  };

  const liveOn = async (run: ConsumerRun, joined: () => void, refused: (error: KafkaError) => void): Promise<void> => {
    let hasJoined = false;
    let failures = 0;
    while (!closing.signal.aborted) {
      try {
        await live(run, () => {
          hasJoined = true;
          failures = 0;
          joined();
        });
      } catch (error) {
        if (closing.signal.aborted) return;
        const known = toKafkaError(error);
        if (!hasJoined && known.code === 'unknown_topic') return refused(known);
        failures += 1;
        context.logger.debug({ err: error, groupId: options.groupId }, 'the consumer starts again');
        if (!isSettling(error) || failures > 5) run.onError?.(known, { attempt: failures });
        await delay(Math.min(1_000, 100 * 2 ** failures), undefined, { signal: closing.signal }).catch(() => {});
      }
    }
  };

  return {
    run: async (run) => {
      if (closing.signal.aborted) throw new KafkaError('closed', 'The consumer is closed.');
      if (lives) throw new KafkaError('failed', 'The consumer runs already.');
      await new Promise<void>((resolve, reject) => {
        lives = liveOn(run, resolve, (error) => {
          lives = undefined;
          reject(error);
        }).finally(() => reject(new KafkaError('closed', 'The consumer was closed before it had joined.')));
      });
    },
    get assigned() {
      return assigned;
    },
    close: async () => {
      closing.abort(new KafkaError('closed', 'The consumer closes.'));
      await lives;
    },
  };
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
