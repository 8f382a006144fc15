import { once } from 'node:events';
import type { Logger } from 'pino';
import { ContractError } from '../../kernel/contract/contract-error.ts';
import { sendMoved } from '../../kernel/contract/moved-message.ts';
import { domainTopicSpecs } from '../../kernel/contract/topics.ts';
import { joinGroup, observeLag } from '../../kernel/kafka/group.ts';
import type { Batch, Consumer, KafkaClient, KafkaMessage, OutgoingMessage } from '../../kernel/kafka/port.ts';
import { prepareTopics } from '../../kernel/kafka/prepare.ts';
import { CdcAlarm } from '../alarm.ts';
import { Batcher, type BatchLimits } from '../batcher.ts';
import type { Engine, EngineState } from '../engine.ts';
import type { Sink, SinkEvent } from '../sink.ts';
import { deadLetter, deadLetterSpecs } from './dead-letter.ts';
import { decodeEvent } from './decode.ts';

export interface KafkaEngineOptions {
  kafka: KafkaClient;
  groupId: string;
  sink: Sink;
  limits: BatchLimits;
  logger: Logger;
  nowMs(): number;
  /** Pause between two looks at the group's lag. */
  watchEveryMs: number;
  onSunk(batch: readonly SinkEvent[], sunkAtMs: number): void;
  onRefused(reason: string): void;
  onRestart(): void;
}

/** A partition's batch that waits until the sink has it. */
interface Waiting {
  resolve(): void;
  reject(error: unknown): void;
}

/** Where an event came from, for the dead letter in case the sink refuses it. */
type Origins = WeakMap<SinkEvent, { batch: Batch; message: KafkaMessage }>;

/**
 * The engine behind Debezium: from the domain topics to the same sink. Batches of several partitions share one write.
 * Offsets are committed after it, so what a crash interrupts comes again and is recognised by its event id.
 */
export function createKafkaEngine(options: KafkaEngineOptions): Engine {
  const { kafka, logger, nowMs } = options;
  const topics = domainTopicSpecs.map((topic) => topic.name);
  let state: EngineState = 'starting';
  let consumerLag: Record<string, number> | undefined;
  let batcher: Batcher<Waiting[]> | undefined;

  async function run(signal: AbortSignal): Promise<void> {
    const ending = new AbortController();
    let fail: (error: unknown) => void = () => {};
    const failed = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    failed.catch(() => {});
    const producer = kafka.createProducer();
    const origins: Origins = new WeakMap();
    let waiting: Waiting[] = [];

    const newBatcher = (): Batcher<Waiting[]> =>
      new Batcher<Waiting[]>({
        ...options.limits,
        sink: options.sink,
        name: options.groupId,
        signal: ending.signal,
        nowMs,
        capture: () => {
          const mark = waiting;
          waiting = [];
          return mark;
        },
        sunk: (mark, batch, sunkAtMs) => {
          options.onSunk(batch, sunkAtMs);
          for (const each of mark) each.resolve();
        },
        refused: async (event, error) => {
          const origin = origins.get(event)!;
          const failure = { reason: 'sink_refused', detail: error.message, failedAtMs: nowMs() };
          await producer.send([deadLetter(origin.batch, origin.message, failure)]);
          options.onRefused(failure.reason);
        },
        failed: (error, mark) => {
          // The partitions' batches come again, after a pause, into a new batcher.
          batcher = newBatcher();
          const all = [...(mark ?? []), ...waiting];
          waiting = [];
          if (error instanceof CdcAlarm) fail(error);
          else if (!ending.signal.aborted) logger.warn({ err: error }, 'the sink failed; the messages come again');
          for (const each of all) each.reject(error);
        },
      });
    batcher = newBatcher();

    const onBatch = async (batch: Batch): Promise<void> => {
      const dead: OutgoingMessage[] = [];
      for (const message of batch.messages) {
        try {
          const event = decodeEvent(message);
          if (!event) continue;
          origins.set(event, { batch, message });
          batcher!.add(event, message.value!.length);
        } catch (error) {
          if (!(error instanceof ContractError)) throw error;
          logger.error({ topic: batch.topic, offset: message.offset.toString(), err: error }, 'unreadable message');
          dead.push(deadLetter(batch, message, { reason: error.reason, detail: error.message, failedAtMs: nowMs() }));
          options.onRefused(error.reason);
        }
      }
      const sunk = new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }));
      // Where more waits at the broker, waiting for company here would only cost time.
      const last = batch.messages.at(-1)!.offset;
      batcher!.touch(last + 1n < batch.highWatermark);
      await Promise.all([sunk, sendMoved(producer, dead)]);
    };

    const prepared = prepareTopics({
      kafka,
      logger,
      signal,
      pauseMs: 1_000,
      topics: [...domainTopicSpecs, ...deadLetterSpecs(domainTopicSpecs)],
    });
    const consumer = kafka.createConsumer({
      groupId: options.groupId,
      // Of every partition one batch is in memory; the sink's limit is for all of them together.
      maxBatchMessages: Math.max(1, Math.min(5_000, options.limits.maxEvents)),
      concurrency: 16,
      // How long a killed process holds up its partitions.
      sessionTimeoutMs: 10_000,
    });
    const watching = watchLag(signal);
    try {
      await prepared.finished;
      if (await join(consumer, onBatch, signal)) state = 'streaming';
      if (!signal.aborted) await Promise.race([once(signal, 'abort'), failed]);
      // Lets the batches in hand end, which the batcher still writes.
      await consumer.close();
    } finally {
      ending.abort(new Error('The engine has stopped.'));
      batcher.end();
      state = 'stopped';
      await consumer.close().catch(() => {});
      await producer.close().catch(() => {});
      await watching;
    }
  }

  function join(consumer: Consumer, onBatch: (batch: Batch) => Promise<void>, signal: AbortSignal): Promise<boolean> {
    const onError = (error: unknown, where: object): void => {
      logger.warn({ err: error, ...where }, 'consuming the domain topics was interrupted');
      options.onRestart();
    };
    const onFailure = (): void => {
      state = 'waiting';
    };
    return joinGroup(consumer, { topics, onBatch, onError }, { pauseMs: 1_000, logger, signal, onFailure });
  }

  function watchLag(signal: AbortSignal): Promise<void> {
    return observeLag({
      kafka,
      groupId: options.groupId,
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
    status: () => ({ state, oldestPendingMs: batcher?.oldestMs, consumerLag }),
  };
}
