import type { Logger } from 'pino';
import { untilSuccess } from '../repeat.ts';
import type { KafkaClient, TopicSpec } from './port.ts';

export interface PreparedTopics {
  /** Whether the topics are known to exist. */
  readonly done: boolean;
  /** Resolves when they do, or when `signal` ends the attempts. */
  finished: Promise<void>;
}

/** Creates the topics, now or as soon as the broker answers, so that a service can start before its broker. */
export function prepareTopics(options: {
  kafka: Pick<KafkaClient, 'ensureTopics'>;
  topics: readonly TopicSpec[];
  logger: Logger;
  signal: AbortSignal;
  /** Pause between two attempts. */
  pauseMs: number;
}): PreparedTopics {
  const { kafka, topics, logger, signal, pauseMs } = options;
  let done = false;
  const create = async (): Promise<void> => {
    await kafka.ensureTopics(topics);
    done = true;
  };
  const finished = untilSuccess(create, {
    pauseMs,
    signal,
    onFailure: (error) => logger.warn({ err: error }, 'topics could not be created yet'),
  });
  return {
    get done() {
      return done;
    },
    finished,
  };
}
