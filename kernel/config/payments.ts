import { z } from 'zod';
import { topologyNames } from '../topology.ts';
import type { Environment } from './environment.ts';
import { flag, httpUrl, logLevel, port, positiveInt, postgresUrl, secrets } from './fields.ts';
import { loadConfig } from './load.ts';

const shape = {
  /** Only a label of the metrics. */
  TOPOLOGY: z.enum(topologyNames),
  DATABASE_URL: postgresUrl,
  PAYMENTS_HOST: z.string().default('127.0.0.1'),
  PAYMENTS_PORT: port.default(3004),
  /** Where the wallet sends its confirmations; the address of this process unless told otherwise. */
  PAYMENTS_PUBLIC_URL: httpUrl.optional(),
  CARD_PROVIDER_URL: httpUrl,
  WALLET_PROVIDER_URL: httpUrl,
  /** Verify the wallet's confirmations. */
  WALLET_SECRETS: secrets,
  /** Time for one HTTP exchange with a provider. */
  PROVIDER_TIMEOUT_MS: positiveInt.default(3_000),
  /** Commands that are worked on at one time; each takes at most one connection for an instant. */
  PAYMENTS_AT_ONCE: positiveInt.max(256).default(16),
  /** Longer than a command can take, which is four exchanges: another process takes over what is held for longer. */
  PAYMENTS_LEASE_MS: positiveInt.default(30_000),
  /** Pause between two looks for commands while there are none. */
  PAYMENTS_POLL_MS: positiveInt.default(200),
  /** Pause between two questions to a provider that waits for its payer. */
  PAYMENTS_ASK_MS: positiveInt.default(2_000),
  /** Attempts before a command is given up, and the pause after the first of them; it doubles, up to the longest one. */
  PAYMENTS_ATTEMPTS: positiveInt.default(5),
  PAYMENTS_BACKOFF_MS: positiveInt.default(1_000),
  PAYMENTS_BACKOFF_MAX_MS: positiveInt.default(30_000),
  /** How long a breaker keeps requests away from a provider. */
  PAYMENTS_BREAK_MS: positiveInt.default(30_000),
  POOL_MAX: positiveInt.default(8),
  STATEMENT_TIMEOUT_MS: positiveInt.default(10_000),
  LOG_LEVEL: logLevel.default('info'),
  SHUTDOWN_TIMEOUT_MS: positiveInt.default(30_000),
  METRICS_ENABLED: flag.default(true),
};

export type PaymentsConfig = ReturnType<typeof loadPaymentsConfig>;

/** The payment worker's settings. @throws ConfigError that lists every wrong variable. */
export function loadPaymentsConfig(environment: Environment) {
  return loadConfig(shape, environment);
}
