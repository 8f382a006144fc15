import { aborted } from 'node:util';
import { domainTopicSpecs } from '../../kernel/contract/topics.ts';
import { joinGroup, observeLag } from '../../kernel/kafka/group.ts';
import type { Consumer, KafkaClient } from '../../kernel/kafka/port.ts';
import { prepareTopics } from '../../kernel/kafka/prepare.ts';
import type { Engine, EngineState } from '../engine.ts';
import { deadLetterSpecs } from './dead-letter.ts';
import { SharedBatches, type SharedBatchesOptions } from './shared-batches.ts';

export interface KafkaEngineOptions extends Omit<SharedBatchesOptions, 'name' | 'producer'> {
  kafka: KafkaClient;
  groupId: string;
  /** Pause between two looks at the group's lag. */
  watchEveryMs: number;
  onRestart(): void;
}

/**
 * The engine behind Debezium: from the domain topics to the same sink. Batches of several partitions share one write.
 * Offsets are committed after it, so what a crash interrupts comes again and is recognised by its event id.
 * Longer than 60 lines because running, joining and watching the lag set what the status tells.
 */
export function createKafkaEngine(options: KafkaEngineOptions): Engine {
  const { kafka, groupId, logger } = options;
  const topics = domainTopicSpecs.map((topic) => topic.name);
  let state: EngineState = 'starting';
  let consumerLag: Record<string, number> | undefined;
  let batches: SharedBatches | undefined;

  async function run(signal: AbortSignal): Promise<void> {
    const producer = kafka.createProducer();
    const running = new SharedBatches({ ...options, name: groupId, producer });
    batches = running;
    const consumer = kafka.createConsumer({
      groupId,
      // Of every partition one batch is in memory; the sink's limit is for all of them together.
      maxBatchMessages: Math.max(1, Math.min(5_000, options.limits.maxEvents)),
      concurrency: 16,
    });
    const watching = watchLag(signal);
    try {
      if (await join(consumer, running, signal)) state = 'streaming';
      await Promise.race([aborted(signal, running), running.failed]);
      // Lets the batches in hand end, which the batcher still writes.
      await consumer.close();
    } finally {
      running.end();
      state = 'stopped';
      await consumer.close().catch(() => {});
      await producer.close().catch(() => {});
      await watching;
    }
  }

  async function join(consumer: Consumer, running: SharedBatches, signal: AbortSignal): Promise<boolean> {
    const specs = [...domainTopicSpecs, ...deadLetterSpecs(domainTopicSpecs)];
    await prepareTopics({ kafka, topics: specs, logger, signal, pauseMs: 1_000 }).finished;
    const onError = (error: unknown, where: object): void => {
      logger.warn({ err: error, ...where }, 'consuming the domain topics was interrupted');
      options.onRestart();
    };
    const onFailure = (): void => {
      state = 'waiting';
    };
    return joinGroup(
      consumer,
      { topics, onBatch: (batch) => running.write(batch), onError },
      { pauseMs: 1_000, logger, signal, onFailure },
    );
  }

  function watchLag(signal: AbortSignal): Promise<void> {
    return observeLag({
      kafka,
      groupId,
      topics,
      pauseMs: options.watchEveryMs,
      logger,
      signal,
      onLag: (lags) => {
        consumerLag = Object.fromEntries(lags.map((lag) => [`${lag.topic}/${lag.partition}`, Number(lag.lag)]));
      },
    });
  }

  return {
    run,
    status: () => ({ state, oldestPendingMs: batches?.oldestMs, consumerLag }),
  };
}
