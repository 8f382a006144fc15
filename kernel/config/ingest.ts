import { z } from 'zod';
import { topologyNames } from '../topology.ts';
import type { Environment } from './environment.ts';
import { brokerList, flag, logLevel, port, positiveInt } from './fields.ts';
import { loadConfig } from './load.ts';
import { loadMerchantSettings } from './merchant-settings.ts';
import { loadWebhookSecrets } from './webhook-secrets.ts';

const shape = {
  /** Only a label of the metrics: the gateway knows no database. */
  TOPOLOGY: z.enum(topologyNames),
  INGEST_HOST: z.string().default('127.0.0.1'),
  INGEST_PORT: port.default(3001),
  KAFKA_BROKERS: brokerList,
  LOG_LEVEL: logLevel.default('info'),
  /** Time in which a webhook is either stored by the broker or answered 503. */
  PRODUCE_TIMEOUT_MS: positiveInt.default(3_000),
  /** Webhooks that may wait for the broker before new ones are answered 429. */
  WEBHOOK_QUEUE_MAX: positiveInt.default(5_000),
  /** Bytes of all webhooks that wait, as they are written to the broker. */
  WEBHOOK_QUEUE_MAX_BYTES: positiveInt.default(48 * 1024 * 1024),
  /** Bytes of one webhook body, counted after decompression. */
  WEBHOOK_BODY_MAX_BYTES: positiveInt.default(262_144),
  /** Time a client has to send one whole request. */
  REQUEST_TIMEOUT_MS: positiveInt.default(10_000),
  /** Connections at one time; each takes a file descriptor, and memory while it sends. */
  MAX_CONNECTIONS: positiveInt.default(5_000),
  SHUTDOWN_TIMEOUT_MS: positiveInt.default(30_000),
  METRICS_ENABLED: flag.default(true),
};

export type IngestConfig = ReturnType<typeof loadIngestConfig>;

/** The gateway's settings. @throws ConfigError that lists every wrong variable. */
export function loadIngestConfig(environment: Environment) {
  return {
    ...loadConfig(shape, environment),
    WEBHOOK_SECRETS: loadWebhookSecrets(environment),
    MERCHANT: loadMerchantSettings(environment),
  };
}
