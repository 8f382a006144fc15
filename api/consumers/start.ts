import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { retryGroup, retryTopics, sourceTopics, webhookTopicSpecs } from '../../kernel/contract/topics.ts';
import { createGroupCommit } from '../../kernel/group-commit.ts';
import type { Consumer, KafkaClient } from '../../kernel/kafka/port.ts';
import { prepareTopics } from '../../kernel/kafka/prepare.ts';
import type { Metrics } from '../../kernel/metrics.ts';
import { type ProcessDependencies, processMessages } from './process.ts';
import { processRetries } from './retry.ts';

export interface ConsumersOptions extends ProcessDependencies {
  kafka: KafkaClient;
  /** The group of the webhook topics; the one of the retry topics is named after it. */
  groupId: string;
  /** Pause between two looks at the lag. */
  observeEveryMs: number;
}

export interface Consumers {
  /** Whether every consumer has joined its group. */
  readonly running: boolean;
  /** Lets the batches in hand end, commits them and leaves the groups. */
  stop(): Promise<void>;
}

const sourcePartitions = webhookTopicSpecs
  .filter(({ name }) => sourceTopics.includes(name))
  .reduce((sum, { partitions }) => sum + partitions, 0);

/**
 * Two transactions full of webhooks, or what comes in 100 ms: a transaction costs nearly the same for twenty webhooks
 * as for two hundred, and no client waits for it, since the gateway has answered already.
 */
const gather = { minBytes: 512 * 1024, maxWaitMs: 100 };

/** What a killed process holds its partitions up by; heartbeats come several times as often. */
const sessionTimeoutMs = 10_000;

/**
 * Starts the consumers of the webhook topics and of their retry topics. Returns at once; they join as soon as the
 * broker answers. The retries have a group of their own, so that their waiting holds up no other message.
 */
export function startConsumers(options: ConsumersOptions): Consumers {
  const { kafka, groupId, logger } = options;
  const stopping = new AbortController();
  const retries = retryGroup(groupId);
  const webhooks = kafka.createConsumer({
    groupId,
    sessionTimeoutMs,
    // A fetch brings messages of each partition, and all of them share transactions.
    maxBatchMessages: options.maxBatch,
    concurrency: sourcePartitions,
    gather,
  });
  const shared = shareTransactions(options);
  const retried = kafka.createConsumer({
    groupId: retries,
    sessionTimeoutMs,
    maxBatchMessages: 1,
    concurrency: 2,
  });
  const onError = (error: unknown, position: object): void => {
    if (!stopping.signal.aborted) logger.warn({ err: error, ...position }, 'consumer failed; it will try again');
  };
  const onAssignment = (assigned: unknown): void => logger.info({ assigned }, 'partitions assigned');
  let running = false;

  const start = async (): Promise<void> => {
    await prepareTopics({ kafka, topics: webhookTopicSpecs, logger, signal: stopping.signal, pauseMs: 1_000 }).finished;
    const joining: [Consumer, () => Promise<void>][] = [
      [
        webhooks,
        () =>
          webhooks.run({
            topics: sourceTopics,
            onBatch: (batch) => processMessages(shared, batch, batch.messages, batch.signal),
            onError,
            onAssignment,
            retryMaxMs: 5_000,
          }),
      ],
      [
        retried,
        () =>
          retried.run({
            topics: retryTopics,
            onBatch: (batch) => processRetries(options, batch),
            onError,
            onAssignment,
            retryMaxMs: 5_000,
          }),
      ],
    ];
    await Promise.all(joining.map(([, join]) => untilJoined(join, logger, stopping.signal)));
    running = !stopping.signal.aborted;
  };
  void start();
  void observeLag(options, retries, stopping.signal);

  return {
    get running() {
      return running;
    },
    stop: async () => {
      stopping.abort(new Error('the consumers stop'));
      // What still asks the broker something has nothing to finish, and the broker may never answer.
      await Promise.all([webhooks.close(), retried.close()]);
    },
  };
}

/**
 * Messages of several partitions that wait at the same time form one transaction: four of a quarter the size cost
 * nearly as much each. The order within a partition stays, since its next messages are handed in when these have had
 * their effect.
 */
function shareTransactions(options: ConsumersOptions): ProcessDependencies {
  const { apply, maxBatch } = options;
  // What waits is bounded by what was fetched.
  const groupCommit = createGroupCommit({ apply, maxBatch, maxQueue: Number.POSITIVE_INFINITY });
  return { ...options, apply: (batch) => Promise.all(batch.map((webhook) => groupCommit.add(webhook))) };
}

async function untilJoined(join: () => Promise<void>, logger: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await join();
      return;
    } catch (error) {
      if (signal.aborted) return;
      logger.warn({ err: error }, 'the consumer could not join yet');
      await delay(1_000, undefined, { signal }).catch(() => {});
    }
  }
}

async function observeLag(options: ConsumersOptions, retries: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await setLag(options.kafka, options.groupId, sourceTopics, options.metrics).catch(() => {});
    await setLag(options.kafka, retries, retryTopics, options.metrics).catch(() => {});
    await delay(options.observeEveryMs, undefined, { signal }).catch(() => {});
  }
}

async function setLag(kafka: KafkaClient, groupId: string, topics: readonly string[], metrics: Metrics): Promise<void> {
  for (const { topic, partition, lag } of await kafka.groupLag(groupId, topics)) {
    metrics.consumerLag.set({ topic, partition }, Number(lag));
  }
}
