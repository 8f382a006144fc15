import type { Logger } from 'pino';
import { repeat, untilSuccess } from '../repeat.ts';
import { orAborted } from '../wait.ts';
import type { Consumer, ConsumerRun, KafkaClient, PartitionLag } from './port.ts';

/**
 * Joins the consumer to its group, now or as soon as its topics are there, so that a service can start before its
 * broker. The caller closes the consumer, also one that has not joined.
 * @param options.onFailure Told of each failed attempt.
 * @returns whether it has joined; false when the signal aborted first.
 */
export async function joinGroup(
  consumer: Consumer,
  run: ConsumerRun,
  options: { pauseMs: number; logger: Logger; signal: AbortSignal; onFailure?(): void },
): Promise<boolean> {
  const { pauseMs, logger, signal, onFailure } = options;
  const joined = await untilSuccess(() => orAborted(consumer.run(run), signal).then(() => true), {
    pauseMs,
    signal,
    onFailure: (error) => {
      logger.warn({ err: error }, 'the consumer could not join its group yet');
      onFailure?.();
    },
  });
  return joined ?? false;
}

/** Tells `onLag` how far the group is behind, again and again until the signal aborts. Never rejects. */
export async function observeLag(options: {
  kafka: Pick<KafkaClient, 'groupLag'>;
  groupId: string;
  topics: readonly string[];
  /** Pause between two looks. */
  pauseMs: number;
  logger: Logger;
  signal: AbortSignal;
  onLag(lags: readonly PartitionLag[]): void;
}): Promise<void> {
  const { kafka, groupId, topics, pauseMs, logger, signal, onLag } = options;
  const look = async (): Promise<void> => {
    try {
      onLag(await kafka.groupLag(groupId, topics));
    } catch (error) {
      logger.debug({ err: error, groupId }, 'the lag of the group could not be read');
    }
  };
  await repeat(look, { pauseMs, signal });
}
