import { processEnvironment } from '../kernel/config/environment.ts';
import { loadIngestConfig } from '../kernel/config/ingest.ts';
import { webhookTopicSpecs } from '../kernel/contract/topics.ts';
import { healthRouter } from '../kernel/http/health.ts';
import { serveUntilSignal } from '../kernel/http/serve.ts';
import { listen } from '../kernel/http/server.ts';
import { createKafkaClient } from '../kernel/kafka/kafkajs.ts';
import { prepareTopics } from '../kernel/kafka/prepare.ts';
import { createLogger } from '../kernel/logging.ts';
import { createMetrics } from '../kernel/metrics.ts';
import { providers } from '../kernel/providers/index.ts';
import { webhookRouter } from '../kernel/webhooks/router.ts';
import { createApp } from './app.ts';
import { deliverToKafka } from './deliver.ts';

const config = loadIngestConfig(processEnvironment());
const logger = createLogger({ service: 'ingest', level: config.LOG_LEVEL, topology: config.TOPOLOGY });
const metrics = createMetrics({ service: 'ingest', topology: config.TOPOLOGY });

const kafka = createKafkaClient({ brokers: config.KAFKA_BROKERS, clientId: 'lab-ingest', logger });
const stopping = new AbortController();
const topics = prepareTopics({
  kafka,
  topics: webhookTopicSpecs,
  logger,
  signal: stopping.signal,
  pauseMs: 1_000,
});
const producer = kafka.createProducer({
  timeoutMs: config.PRODUCE_TIMEOUT_MS,
  maxQueuedMessages: config.WEBHOOK_QUEUE_MAX,
  maxQueuedBytes: config.WEBHOOK_QUEUE_MAX_BYTES,
});

const checkKafka = async (): Promise<void> => {
  if (!topics.done) throw new Error('the topics are not created yet');
  await kafka.ping(1_500);
};
const app = createApp({
  logger,
  metrics,
  metricsEnabled: config.METRICS_ENABLED,
  health: healthRouter([{ name: 'kafka', required: true, check: checkKafka }], 2_000),
  webhooks: webhookRouter({
    providers,
    secrets: config.WEBHOOK_SECRETS,
    merchant: config.MERCHANT,
    bodyMaxBytes: config.WEBHOOK_BODY_MAX_BYTES,
    now: () => new Date(),
    metrics,
    deliver: deliverToKafka(producer, metrics),
  }),
});
const http = await listen(app, {
  host: config.INGEST_HOST,
  port: config.INGEST_PORT,
  requestTimeoutMs: config.REQUEST_TIMEOUT_MS,
  maxConnections: config.MAX_CONNECTIONS,
  onRefusedConnection: () => metrics.refusedConnections.inc(),
  onClosedConnection: (reason) => metrics.closedConnections.inc({ reason }),
});
serveUntilSignal(http, {
  service: 'ingest',
  config,
  logger,
  shutdown: [
    { name: 'http', run: () => http.close(config.SHUTDOWN_TIMEOUT_MS - 5_000) },
    { name: 'topics', run: async () => stopping.abort() },
    { name: 'producer', run: () => producer.close() },
    { name: 'kafka', run: () => kafka.close() },
  ],
});
