import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
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
  const attempt = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await kafka.ensureTopics(topics);
        done = true;
        return;
      } catch (error) {
        logger.warn({ err: error }, 'topics could not be created yet');
        await delay(pauseMs, undefined, { signal }).catch(() => {});
      }
    }
  };
  const finished = attempt();
  return {
    get done() {
      return done;
    },
    finished,
  };
}
