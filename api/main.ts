import { createAccessTokens } from '../kernel/access/access-tokens.ts';
import { loadApiConfig } from '../kernel/config/api.ts';
import { processEnvironment } from '../kernel/config/environment.ts';
import { webhookMessageMaxBytes } from '../kernel/contract/topics.ts';
import { authenticate } from '../kernel/http/authenticate.ts';
import { createCursors } from '../kernel/http/cursor.ts';
import { healthRouter } from '../kernel/http/health.ts';
import { limitRate } from '../kernel/http/rate-limit.ts';
import { serveUntilSignal } from '../kernel/http/serve.ts';
import { listen } from '../kernel/http/server.ts';
import { createLogger } from '../kernel/logging.ts';
import { createMetrics } from '../kernel/metrics.ts';
import { atAddress } from '../kernel/postgres/hosts.ts';
import { createPool } from '../kernel/postgres/pool.ts';
import { createReadRouter, type Replica } from '../kernel/postgres/read-router.ts';
import { providers } from '../kernel/providers/index.ts';
import { capabilities } from '../kernel/topology.ts';
import { webhookRouter } from '../kernel/webhooks/router.ts';
import { createLedger } from '../ledger/ledger.ts';
import { startFolding } from '../ledger/start-folding.ts';
import { createApp } from './app.ts';
import { startConsumers } from './consumers/start.ts';
import { createStoreGate } from './consumers/store-gate.ts';
import { healthChecks } from './health-checks.ts';
import { startMaintenance } from './maintenance.ts';
import { apiPaths } from './openapi/api-paths.ts';
import { openApiDocument } from './openapi/document.ts';
import { documentationRouter } from './openapi/router.ts';
import { startCaptureRecovery } from './orders/recover-captures.ts';
import { apiPoolOptions } from './pool-options.ts';
import { createProviderClient } from './provider-client/client.ts';
import { apiResources, openResources } from './resources.ts';
import { openStores } from './stores.ts';
import { createPasswords } from './users/passwords.ts';
import { deliverByGroupCommit } from './webhooks/deliver.ts';

const config = loadApiConfig(processEnvironment());
const topology = capabilities(config.TOPOLOGY);
const logger = createLogger({ service: 'api', level: config.LOG_LEVEL, topology: config.TOPOLOGY });
const metrics = createMetrics({ service: 'api', topology: config.TOPOLOGY });
const now = (): Date => new Date();

const poolOptions = apiPoolOptions(config, logger);
const primary = createPool(poolOptions.primary);
const webhookPool = createPool(poolOptions.webhooks(config.DATABASE_URL));
const ledgerPool = createPool(poolOptions.ledger);
const maintenancePool = createPool(poolOptions.maintenance);
const replicas: Replica[] = topology.readsFromReplica
  ? config.REPLICA_DATABASE_URLS.map((dsn, index) => ({
      name: `replica-${index + 1}`,
      pool: createPool(poolOptions.replica(dsn)),
    }))
  : [];
metrics.watchPool('api', primary);
metrics.watchPool('webhooks', webhookPool);
metrics.watchPool('ledger', ledgerPool);
for (const { name, pool } of replicas) metrics.watchPool(name, pool);
const reads = createReadRouter({
  primary,
  replicas,
  policy: config.READ_POLICY,
  stickyMs: config.READ_STICKY_MS,
  waitMs: config.READ_WAIT_MS,
  maxLagBytes: config.REPLICA_MAX_LAG_BYTES,
  maxLagMs: config.REPLICA_MAX_LAG_MS,
  pollMs: 50,
  metrics,
  logger,
});

const cursors = createCursors(config.CURSOR_SECRET);
const tokens = createAccessTokens({ secrets: config.ACCESS_TOKEN_SECRETS, now });
const provider = config.PROVIDER_URL
  ? createProviderClient({ url: config.PROVIDER_URL, timeoutMs: config.PROVIDER_TIMEOUT_MS, metrics })
  : undefined;

const stores = openStores(topology.stores, {
  pool: primary,
  webhookPool,
  ledgerPool,
  ledgerDeltas: config.LEDGER_STRATEGY === 'deltas',
  dedupe: topology.dedupe,
  openWorkerPool: (node) => createPool(poolOptions.webhooks(atAddress(config.DATABASE_URL, node))),
  maxBatch: config.WEBHOOK_BATCH_MAX,
  maxQueue: config.WEBHOOK_QUEUE_MAX,
  now,
  logger,
  onBatch: (size, durationMs) => {
    metrics.batchSize.observe(size);
    metrics.batchDuration.observe(durationMs / 1000);
  },
  onQueue: (length) => metrics.queueLength.set(length),
});
const { orders, webhooks } = stores;
const ledger = createLedger({
  store: stores.accounts,
  strategy: config.LEDGER_STRATEGY,
  now,
  maxBatch: config.WEBHOOK_BATCH_MAX,
  maxQueue: config.WEBHOOK_QUEUE_MAX,
});

// The client is loaded where a broker is configured only: sync mode starts without it.
const kafka = config.KAFKA_BROKERS
  ? (await import('../kernel/kafka/kafkajs.ts')).createKafkaClient({
      brokers: config.KAFKA_BROKERS,
      clientId: 'lab-api',
      logger,
    })
  : undefined;
const movesOn = kafka?.createProducer({ timeoutMs: 10_000 });
const consumers =
  kafka &&
  movesOn &&
  startConsumers({
    kafka,
    producer: movesOn,
    apply: webhooks.apply,
    groupId: config.CONSUMER_GROUP,
    metrics,
    logger,
    now,
    random: Math.random,
    store: createStoreGate({
      probe: () => webhookPool.query('select 1'),
      pauseMs: 250,
      logger,
      onPause: (paused) => metrics.consumerPaused.set(paused ? 1 : 0),
    }),
    maxBatch: config.WEBHOOK_BATCH_MAX,
    maxMessageBytes: webhookMessageMaxBytes,
    observeEveryMs: 2_000,
  });

// Loaded where analytics are configured only. Its log goes to the console and not into ours, and what fails reaches the
// caller anyway: 127 is off.
const clickhouse = config.CLICKHOUSE_URL
  ? (await import('@clickhouse/client')).createClient({
      url: config.CLICKHOUSE_URL,
      application: 'lab-api',
      request_timeout: config.STATEMENT_TIMEOUT_MS,
      log: { level: 127 },
    })
  : undefined;

const app = createApp({
  logger,
  metrics,
  metricsEnabled: config.METRICS_ENABLED,
  health: healthRouter(healthChecks({ webhookPool, replicas, clickhouse, kafka }), 2_000),
  webhooks: webhookRouter({
    providers,
    secrets: config.WEBHOOK_SECRETS,
    merchant: config.MERCHANT,
    bodyMaxBytes: config.WEBHOOK_BODY_MAX_BYTES,
    now,
    metrics,
    deliver: deliverByGroupCommit(webhooks.groupCommit, metrics),
  }),
  limiter: limitRate(config.RATE_LIMIT_PER_MINUTE),
  authenticate: authenticate(tokens),
  openResources: openResources({
    users: stores.users,
    passwords: createPasswords({ atOnce: config.PASSWORD_HASHES_AT_ONCE, maxQueue: 100 }),
    tokens,
    limits: {
      perAccount: config.LOGIN_ATTEMPTS_PER_ACCOUNT,
      perAddress: config.LOGIN_ATTEMPTS_PER_ADDRESS,
      windowSeconds: config.LOGIN_WINDOW_SECONDS,
    },
    accessLifetime: config.ACCESS_LIFETIME_SECONDS,
    refreshLifetime: config.REFRESH_LIFETIME_SECONDS,
    now,
  }),
  resources: apiResources({
    ...stores,
    ledger,
    reads,
    cursors,
    provider,
    now,
    logger,
    clickhouse,
    webhookTargets: config.WEBHOOK_ALLOWED_TARGETS,
  }),
  documentation: documentationRouter(
    openApiDocument(apiPaths(providers.filter((scheme) => config.WEBHOOK_SECRETS.has(scheme.name)))),
  ),
});

const stopMaintenance = startMaintenance({
  pool: maintenancePool,
  metrics,
  logger,
  maintainEveryMs: 60 * 60_000,
  observeEveryMs: 15_000,
});
const stopRecovery = provider && startCaptureRecovery({ orders, provider, now, logger }, 10_000);
// Of another strategy a few legs may be left, which every command that touches their account posts as well.
const foldEveryMs = config.LEDGER_STRATEGY === 'deltas' ? config.LEDGER_FOLD_MS : 60_000;
const stopFolding = startFolding({ ledger, logger }, foldEveryMs);
const http = await listen(app, {
  host: config.API_HOST,
  port: config.API_PORT,
  requestTimeoutMs: config.REQUEST_TIMEOUT_MS,
  maxConnections: config.MAX_CONNECTIONS,
  onRefusedConnection: () => metrics.refusedConnections.inc(),
  onClosedConnection: (reason) => metrics.closedConnections.inc({ reason }),
});
serveUntilSignal(http, {
  service: 'api',
  config,
  logger,
  shutdown: [
    { name: 'http', run: () => http.close(config.SHUTDOWN_TIMEOUT_MS - 5_000) },
    { name: 'webhooks', run: () => webhooks.groupCommit.idle() },
    { name: 'ledger', run: () => ledger.idle() },
    { name: 'folding', run: () => stopFolding() },
    { name: 'consumers', run: async () => consumers?.stop() },
    { name: 'kafka', run: async () => kafka?.close() },
    { name: 'maintenance', run: async () => stopMaintenance() },
    { name: 'reads', run: async () => reads.stop() },
    { name: 'captures', run: async () => stopRecovery?.() },
    { name: 'provider', run: async () => provider?.close() },
    { name: 'clickhouse', run: async () => clickhouse?.close() },
    {
      name: 'pools',
      run: async () => {
        const pools = new Set([
          primary,
          webhookPool,
          ledgerPool,
          maintenancePool,
          ...replicas.map((replica) => replica.pool),
        ]);
        await Promise.all([...pools].map((pool) => pool.end()));
        await stores.close();
      },
    },
  ],
});
