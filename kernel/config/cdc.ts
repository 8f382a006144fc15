import { z } from 'zod';
import { topologyNames } from '../topology.ts';
import type { Environment } from './environment.ts';
import { brokerList, flag, httpUrl, listOf, logLevel, port, positiveInt, postgresUrl } from './fields.ts';
import { ConfigError, loadConfig } from './load.ts';

const shape = {
  /** Only a label of the metrics. */
  TOPOLOGY: z.enum(topologyNames),
  /** `native` reads the WAL; `kafka` reads the topics that Debezium fills. */
  CDC_ENGINE: z.enum(['native', 'kafka']).default('native'),
  CDC_HOST: z.string().default('127.0.0.1'),
  CDC_PORT: port.default(3002),
  /** Of a login with the rights of lab_cdc and REPLICATION; for the native engine, and beside CONNECT_URL. */
  DATABASE_URL: postgresUrl.optional(),
  /** For the native engine where rows are sharded: the workers, each of which is read instead of DATABASE_URL. */
  WORKER_DATABASE_URLS: listOf(postgresUrl).default([]),
  /** For the Kafka engine. */
  KAFKA_BROKERS: brokerList.optional(),
  /** Kafka Connect's REST API. With it the Kafka engine registers Debezium's connector and watches it and its slot. */
  CONNECT_URL: httpUrl.optional(),
  /** http://user:password@host:port/database */
  CLICKHOUSE_URL: httpUrl,
  CDC_SLOT: z
    .string()
    .regex(/^[a-z0-9_]{1,63}$/, 'must be lower-case letters, digits and _')
    .default('lab_cdc'),
  CDC_PUBLICATION: z.string().min(1).default('lab_outbox'),
  CDC_GROUP: z.string().min(1).default('lab-cdc'),
  /** Reached only by a backlog: each batch rebuilds the roll-ups of its minutes, so fewer batches are less work. */
  CDC_BATCH_EVENTS: positiveInt.max(100_000).default(50_000),
  CDC_BATCH_BYTES: positiveInt.default(32 * 1024 * 1024),
  /** How long the first event of a batch waits for company. Shorter is fresher and makes more parts in ClickHouse. */
  CDC_BATCH_WAIT_MS: z.coerce.number().int().min(0).max(1_000).default(200),
  /** What to do when the slot was dropped, invalidated or moved: stop with an alarm, or begin anew with a full load. */
  CDC_ON_LOST_SLOT: z.enum(['stop', 'reload']).default('stop'),
  CDC_WATCH_MS: positiveInt.max(20_000).default(5_000),
  /** WAL of other tables that may pass before an idle reader confirms it. */
  CDC_IDLE_ADVANCE_BYTES: positiveInt.min(65_536).default(262_144),
  /** After an alarm the process stays for so long, doing nothing, so that its metrics are seen. */
  CDC_ALARM_HOLD_MS: z.coerce.number().int().min(0).default(15_000),
  LOG_LEVEL: logLevel.default('info'),
  SHUTDOWN_TIMEOUT_MS: positiveInt.default(15_000),
  METRICS_ENABLED: flag.default(true),
};

export type CdcConfig = ReturnType<typeof loadCdcConfig>;

/** The settings of change data capture. @throws ConfigError that lists every wrong variable. */
export function loadCdcConfig(environment: Environment) {
  const { DATABASE_URL, KAFKA_BROKERS, CONNECT_URL, CDC_ENGINE, ...rest } = loadConfig(shape, environment);
  if (CDC_ENGINE === 'native') {
    if (!DATABASE_URL) throw missing('DATABASE_URL', 'native');
    return { ...rest, CDC_ENGINE, DATABASE_URL };
  }
  if (!KAFKA_BROKERS) throw missing('KAFKA_BROKERS', 'kafka');
  if (CONNECT_URL && !DATABASE_URL) throw missing('DATABASE_URL', 'kafka and CONNECT_URL is set');
  return { ...rest, CDC_ENGINE, KAFKA_BROKERS, ...(CONNECT_URL && DATABASE_URL && { CONNECT_URL, DATABASE_URL }) };
}

function missing(name: string, engine: string): ConfigError {
  return new ConfigError(`Wrong environment variables:\n  ${name}: is required when CDC_ENGINE is ${engine}`);
}
