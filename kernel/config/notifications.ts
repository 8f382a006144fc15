import { z } from 'zod';
import { topologyNames } from '../topology.ts';
import type { Environment } from './environment.ts';
import { allowedTargets, brokerList, flag, listOf, logLevel, port, positiveInt, postgresUrl } from './fields.ts';
import { ConfigError, loadConfig } from './load.ts';

const shape = {
  /** Only a label of the metrics. */
  TOPOLOGY: z.enum(topologyNames),
  NOTIFICATIONS_HOST: z.string().default('127.0.0.1'),
  NOTIFICATIONS_PORT: port.default(3003),
  /** Of a login with the rights of lab_notifications. */
  DATABASE_URL: postgresUrl,
  /** `native` reads the WAL; `kafka` reads the topics that Debezium fills. */
  CDC_ENGINE: z.enum(['native', 'kafka']).default('native'),
  /** For the native engine: of a login with the rights of lab_cdc and REPLICATION, on the server with the outbox. */
  SOURCE_DATABASE_URL: postgresUrl.optional(),
  /** For the native engine where rows are sharded: the workers, each of which is read instead. */
  WORKER_DATABASE_URLS: listOf(postgresUrl).default([]),
  /** For the Kafka engine. */
  KAFKA_BROKERS: brokerList.optional(),
  CDC_SLOT: z
    .string()
    .regex(/^[a-z0-9_]{1,63}$/, 'must be lower-case letters, digits and _')
    .default('lab_notifications'),
  CDC_PUBLICATION: z.string().min(1).default('lab_outbox'),
  CDC_GROUP: z.string().min(1).default('lab-notifications'),
  /** What to do when the slot was dropped, invalidated or moved: stop with an alarm, or load the outbox again. */
  CDC_ON_LOST_SLOT: z.enum(['stop', 'reload']).default('stop'),
  CDC_WATCH_MS: positiveInt.max(20_000).default(5_000),
  CDC_ALARM_HOLD_MS: z.coerce.number().int().min(0).default(15_000),
  /** smtp:// or smtps:// URL, with user and password where the server asks for them. */
  SMTP_URL: z.url({ protocol: /^smtps?$/, error: 'must be an smtp:// or smtps:// URL' }),
  /** Address of the sender. */
  MAIL_FROM: z.string().min(3).default('payments@lab.example'),
  /** For a mail or a request, from the connection to the answer. Below the time for which a row is claimed. */
  SEND_TIMEOUT_MS: positiveInt.default(10_000),
  WEBHOOK_ALLOWED_TARGETS: allowedTargets,
  /** After so many tries that failed, a notification is a dead letter. */
  NOTIFICATIONS_MAX_ATTEMPTS: positiveInt.max(50).default(8),
  /** Pause after the first try; each further one is four times as long, until an hour. */
  NOTIFICATIONS_BACKOFF_MS: positiveInt.default(5_000),
  /** Sent at one time by each channel. */
  NOTIFICATIONS_CONCURRENCY: positiveInt.max(100).default(8),
  /** Pause between two looks for notifications whose next try is due. */
  NOTIFICATIONS_POLL_MS: positiveInt.default(1_000),
  /** Older events are recorded as expired and told to no user, as after a reader was given its place for the first time. */
  NOTIFICATIONS_MAX_AGE_SECONDS: positiveInt.default(86_400),
  LOG_LEVEL: logLevel.default('info'),
  SHUTDOWN_TIMEOUT_MS: positiveInt.default(20_000),
  METRICS_ENABLED: flag.default(true),
};

export type NotificationsConfig = ReturnType<typeof loadNotificationsConfig>;

/** The settings of the process that notifies. @throws ConfigError that lists every wrong variable. */
export function loadNotificationsConfig(environment: Environment) {
  const { SOURCE_DATABASE_URL, KAFKA_BROKERS, CDC_ENGINE, ...rest } = loadConfig(shape, environment);
  if (CDC_ENGINE === 'native') {
    if (!SOURCE_DATABASE_URL) throw missing('SOURCE_DATABASE_URL', 'native');
    return { ...rest, CDC_ENGINE, SOURCE_DATABASE_URL };
  }
  if (!KAFKA_BROKERS) throw missing('KAFKA_BROKERS', 'kafka');
  return { ...rest, CDC_ENGINE, KAFKA_BROKERS };
}

function missing(name: string, engine: string): ConfigError {
  return new ConfigError(`Wrong environment variables:\n  ${name}: is required when CDC_ENGINE is ${engine}`);
}
