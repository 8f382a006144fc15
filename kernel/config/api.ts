import { z } from 'zod';
import { readPolicyNames } from '../postgres/read-policies.ts';
import { capabilities, topologyNames } from '../topology.ts';
import type { Environment } from './environment.ts';
import {
  allowedTargets,
  brokerList,
  flag,
  httpUrl,
  listOf,
  logLevel,
  port,
  positiveInt,
  postgresUrl,
  secrets,
} from './fields.ts';
import { ConfigError, loadConfig } from './load.ts';
import { loadMerchantSettings } from './merchant-settings.ts';
import { loadWebhookSecrets } from './webhook-secrets.ts';

const shape = {
  TOPOLOGY: z.enum(topologyNames),
  DATABASE_URL: postgresUrl,
  /** `transaction` when the URLs lead to a pooler that lends a server session for one transaction each. */
  DATABASE_POOLING: z.enum(['session', 'transaction']).default('session'),
  /** Whether that pooler keeps prepared statements: pgbouncer does from 1.21 on, with max_prepared_statements. */
  POOLER_PREPARED_STATEMENTS: flag.default(false),
  /** Past the pooler, for maintenance: it may take longer than a lent session should be kept. */
  DIRECT_DATABASE_URL: postgresUrl.optional(),
  REPLICA_DATABASE_URLS: listOf(postgresUrl).default([]),
  API_HOST: z.string().default('127.0.0.1'),
  API_PORT: port.default(3000),
  LOG_LEVEL: logLevel.default('info'),
  CURSOR_SECRET: z.string().min(16, 'must have at least 16 characters'),
  /** Sign access tokens; every instance has the same. The second is the former one during a rotation. */
  ACCESS_TOKEN_SECRETS: secrets.pipe(
    z.array(z.string().min(32, 'each secret must have at least 32 characters, as many bytes as HS256 asks for')),
  ),
  /** Seconds that an access token is valid, and a session with its refresh tokens. */
  ACCESS_LIFETIME_SECONDS: positiveInt.max(86_400).default(900),
  REFRESH_LIFETIME_SECONDS: positiveInt.max(31_536_000).default(2_592_000),
  /** Failed logins in a window, of one account and from one address; registrations from one address. */
  LOGIN_ATTEMPTS_PER_ACCOUNT: positiveInt.default(10),
  LOGIN_ATTEMPTS_PER_ADDRESS: positiveInt.default(100),
  LOGIN_WINDOW_SECONDS: positiveInt.max(86_400).default(900),
  /** Passwords that are hashed at one time: each takes one of libuv's four threads for some 50 ms, and 19 MiB. */
  PASSWORD_HASHES_AT_ONCE: positiveInt.max(16).default(2),
  PROVIDER_URL: httpUrl.optional(),
  PROVIDER_TIMEOUT_MS: positiveInt.default(3_000),
  /** http://user:password@host:port/database of the analytics; without it they are answered from PostgreSQL only. */
  CLICKHOUSE_URL: httpUrl.optional(),
  POOL_MAX: positiveInt.default(10),
  STATEMENT_TIMEOUT_MS: positiveInt.default(10_000),
  /** Most webhooks that one transaction applies. */
  WEBHOOK_BATCH_MAX: positiveInt.default(256),
  /** Webhooks that may wait for a transaction before new ones are answered 429. */
  WEBHOOK_QUEUE_MAX: positiveInt.default(5_000),
  /** How transfers share an account that many of them want at one time. */
  LEDGER_STRATEGY: z.enum(['row_lock', 'batched', 'deltas']).default('batched'),
  /** Pause between two foldings of legs that wait, in the strategy `deltas`. */
  LEDGER_FOLD_MS: positiveInt.default(200),
  /** Bytes of one webhook body, counted after decompression. */
  WEBHOOK_BODY_MAX_BYTES: positiveInt.default(262_144),
  /** Time a client has to send one whole request. */
  REQUEST_TIMEOUT_MS: positiveInt.default(10_000),
  /** Connections at one time; each takes a file descriptor, and memory while it sends. */
  MAX_CONNECTIONS: positiveInt.default(5_000),
  /** Requests per minute and client address on /api/v1. */
  RATE_LIMIT_PER_MINUTE: positiveInt.default(60_000),
  /** How reads that carry a consistency token are spread over primary and replicas. */
  READ_POLICY: z.enum(readPolicyNames).default('lsn_floor'),
  /** Policy `sticky`: how long after its own write a session reads from the primary. */
  READ_STICKY_MS: positiveInt.default(1_000),
  /** Policy `wait`: longest time that a read waits for a replica to catch up. */
  READ_WAIT_MS: positiveInt.default(100),
  /** Replay lag above which a replica gets no reads. */
  REPLICA_MAX_LAG_BYTES: positiveInt.default(64 * 1024 * 1024),
  REPLICA_MAX_LAG_MS: positiveInt.default(30_000),
  SHUTDOWN_TIMEOUT_MS: positiveInt.default(30_000),
  /** Brokers of kafka mode; without any the API takes webhooks over HTTP only. */
  KAFKA_BROKERS: brokerList.optional(),
  /** Consumer group of the webhook topics. */
  CONSUMER_GROUP: z.string().min(1).default('lab-api'),
  /** Where webhook endpoints may lie although that is no public address, as `host:port`. */
  WEBHOOK_ALLOWED_TARGETS: allowedTargets,
  METRICS_ENABLED: flag.default(true),
};

export type ApiConfig = ReturnType<typeof loadApiConfig>;

/** The API's settings. @throws ConfigError that lists every wrong variable. */
export function loadApiConfig(environment: Environment) {
  const config = loadConfig(shape, environment);
  if (capabilities(config.TOPOLOGY).readsFromReplica && config.REPLICA_DATABASE_URLS.length === 0) {
    throw new ConfigError(
      `Wrong environment variables:\n  REPLICA_DATABASE_URLS: is required when TOPOLOGY is ${config.TOPOLOGY}`,
    );
  }
  if (config.DATABASE_POOLING === 'transaction' && config.DIRECT_DATABASE_URL === undefined) {
    throw new ConfigError(
      'Wrong environment variables:\n  DIRECT_DATABASE_URL: is required when DATABASE_POOLING is transaction',
    );
  }
  return {
    ...config,
    WEBHOOK_SECRETS: loadWebhookSecrets(environment),
    MERCHANT: loadMerchantSettings(environment),
  };
}
