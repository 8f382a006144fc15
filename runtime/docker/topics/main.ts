import { setTimeout as delay } from 'node:timers/promises';
import { connectorTopics } from '../../../cdc/debezium/connector.ts';
import { loadTopicsConfig } from '../../../kernel/config/compose.ts';
import { processEnvironment } from '../../../kernel/config/environment.ts';
import { domainTopicSpecs, webhookTopicSpecs } from '../../../kernel/contract/topics.ts';
import { createKafkaClient } from '../../../kernel/kafka/kafkajs.ts';
import { createLogger } from '../../../kernel/logging.ts';
import { offsetsTopic } from '../../native/kafka/broker.ts';

/**
 * Makes every topic of the lab before any service reads or writes, with the partitions and the retention of the contract.
 * Safe to run again: what is there is brought up to date.
 */
const config = loadTopicsConfig(processEnvironment());
const logger = createLogger({ service: 'topics', level: 'warn' });
const kafka = createKafkaClient({ brokers: config.KAFKA_BROKERS, clientId: 'lab-topics', logger });
const topics = [offsetsTopic, ...webhookTopicSpecs, ...domainTopicSpecs, ...connectorTopics()];
try {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await kafka.ensureTopics(topics);
      break;
    } catch (error) {
      if (attempt === 30) throw error;
      await delay(1_000);
    }
  }
} finally {
  await kafka.close();
}
process.stdout.write(`${topics.length} topics: ${topics.map(({ name }) => name).join(', ')}\n`);
