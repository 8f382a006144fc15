import type { Logger } from 'pino';
import { createAdministration } from './kafkajs-admin.ts';
import { createKafkajsConsumer } from './kafkajs-consumer.ts';
import { createKafkajsProducer } from './kafkajs-producer.ts';
import { openSession, type Session } from './kafkajs-session.ts';
import type { Consumer, KafkaClient, Producer } from './port.ts';

export interface KafkaClientOptions {
  /** As in `127.0.0.1:9092`. */
  brokers: readonly string[];
  clientId: string;
  logger: Logger;
}

/** The port over kafkajs 2.2.4. The files beside this one hold what is needed to keep the port's promises with it. */
export function createKafkaClient(options: KafkaClientOptions): KafkaClient {
  const open = (requestTimeoutMs: number): Session =>
    openSession({ ...options, connectTimeoutMs: 1_000, requestTimeoutMs });
  const administration = createAdministration(() => open(15_000));
  const { logger } = options;
  const { messageLimits } = administration;
  const children = new Set<Producer | Consumer>();
  const owned = <T extends Producer | Consumer>(child: T): T => {
    children.add(child);
    return child;
  };
  return {
    ensureTopics: administration.ensureTopics,
    groupLag: administration.groupLag,
    topicOffsets: administration.topicOffsets,
    ping: administration.ping,
    createProducer: (wanted) => owned(createKafkajsProducer({ open, messageLimits, logger }, wanted)),
    createConsumer: (wanted) => {
      const requireTopics = async (topics: readonly string[]): Promise<void> => {
        await messageLimits(topics);
      };
      return owned(createKafkajsConsumer({ open, requireTopics, logger }, wanted));
    },
    close: async () => {
      await Promise.all([...children].map((child) => child.close()));
      await administration.close();
    },
  };
}
