import type { Logger } from 'pino';
import type { ApiConfig } from '../kernel/config/api.ts';
import type { PoolOptions } from '../kernel/postgres/pool.ts';

/** Longest time of one call of run_maintenance(). */
const maintenanceTimeoutMs = 15 * 60_000;

/** What each of the API's pools is made of, by what it is for. */
export interface ApiPoolOptions {
  primary: PoolOptions;
  /** The pool of webhooks on the server at `dsn`. */
  webhooks: (dsn: string) => PoolOptions;
  /** Transfers: as webhooks, with as many connections as other requests have. */
  ledger: PoolOptions;
  maintenance: PoolOptions;
  replica: (dsn: string) => PoolOptions;
}

export function apiPoolOptions(config: ApiConfig, logger: Logger): ApiPoolOptions {
  const direct = { logger, max: config.POOL_MAX, statementTimeoutMs: config.STATEMENT_TIMEOUT_MS };
  const pooled = {
    ...direct,
    ...(config.DATABASE_POOLING === 'transaction' && {
      transactionPooling: { preparedStatements: config.POOLER_PREPARED_STATEMENTS },
    }),
  };
  // A batch touches a few rows by their keys. Plans that were cached while the tables were small would go on reading all
  // of them, until autovacuum has counted the rows.
  const batches = {
    ...pooled,
    pipeline: true,
    sessionSettings: { enable_seqscan: 'off', enable_hashjoin: 'off', enable_mergejoin: 'off' },
    queryTimeoutMs: config.STATEMENT_TIMEOUT_MS + 2_000,
  };
  return {
    primary: { ...pooled, dsn: config.DATABASE_URL, applicationName: 'lab-api' },
    // The batches have a connection of their own, so that slow reads can never make a webhook wait for one.
    webhooks: (dsn) => ({ ...batches, dsn, applicationName: 'lab-api-webhooks', max: 2 }),
    ledger: { ...batches, dsn: config.DATABASE_URL, applicationName: 'lab-api-ledger' },
    // Maintenance goes past a pooler: see docs/decisions/0014. Its procedure is one statement of many short transactions,
    // and looking at the gauges must not wait for it.
    maintenance: {
      ...direct,
      dsn: config.DIRECT_DATABASE_URL ?? config.DATABASE_URL,
      applicationName: 'lab-api-maintenance',
      max: 2,
      statementTimeoutMs: maintenanceTimeoutMs,
    },
    replica: (dsn) => ({ ...pooled, dsn, applicationName: 'lab-api-reads' }),
  };
}
