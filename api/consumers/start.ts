import { retryGroup, retryTopics, sourceTopics, webhookTopicSpecs } from '../../kernel/contract/topics.ts';
import { createGroupCommit } from '../../kernel/group-commit.ts';
import { joinGroup, observeLag } from '../../kernel/kafka/group.ts';
import type { Consumer, ConsumerRun, KafkaClient } from '../../kernel/kafka/port.ts';
import { prepareTopics } from '../../kernel/kafka/prepare.ts';
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

/**
 * Starts the consumers of the webhook topics and of their retry topics. Returns at once; they join as soon as the
 * broker answers. The retries have a group of their own, so that their waiting delays no other message.
 */
export function startConsumers(options: ConsumersOptions): Consumers {
  const { kafka, groupId, logger, metrics } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const topics = prepareTopics({ kafka, topics: webhookTopicSpecs, logger, signal, pauseMs: 1_000 });
  const shared = shareTransactions(options);
  const { webhooks, retries } = createConsumers(options);

  const join = async (consumer: Consumer, run: Pick<ConsumerRun, 'topics' | 'onBatch'>): Promise<boolean> => {
    await topics.finished;
    return joinGroup(
      consumer,
      { ...run, onError, onAssignment, retryMaxMs: 5_000 },
      { pauseMs: 1_000, logger, signal },
    );
  };
  const onError = (error: unknown, position: object): void => {
    if (!signal.aborted) logger.warn({ err: error, ...position }, 'consumer failed; it will try again');
  };
  const onAssignment = (assigned: unknown): void => logger.info({ assigned }, 'partitions assigned');
  const watch = (group: string, groupTopics: readonly string[]): void => {
    void observeLag({
      kafka,
      groupId: group,
      topics: groupTopics,
      pauseMs: options.observeEveryMs,
      logger,
      signal,
      onLag: (lags) => {
        for (const { topic, partition, lag } of lags) metrics.consumerLag.set({ topic, partition }, Number(lag));
      },
    });
  };

  let running = false;
  const joining = Promise.all([
    join(webhooks, {
      topics: sourceTopics,
      onBatch: (batch) => processMessages(shared, batch, batch.messages, batch.signal),
    }),
    join(retries, { topics: retryTopics, onBatch: (batch) => processRetries(options, batch) }),
  ]);
  void joining.then((joined) => {
    running = joined.every(Boolean);
  });
  watch(groupId, sourceTopics);
  watch(retryGroup(groupId), retryTopics);

  return {
    get running() {
      return running;
    },
    stop: async () => {
      stopping.abort(new Error('the consumers stop'));
      // Requests to the broker that are still open have nothing to finish, and may never be answered.
      await Promise.all([webhooks.close(), retries.close()]);
    },
  };
}

function createConsumers({ kafka, groupId, maxBatch }: ConsumersOptions): { webhooks: Consumer; retries: Consumer } {
  const webhooks = kafka.createConsumer({
    groupId,
    // A fetch brings messages of each partition, and all of them share transactions.
    maxBatchMessages: maxBatch,
    concurrency: sourcePartitions,
    gather,
  });
  const retries = kafka.createConsumer({
    groupId: retryGroup(groupId),
    maxBatchMessages: 1,
    concurrency: 2,
  });
  return { webhooks, retries };
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
