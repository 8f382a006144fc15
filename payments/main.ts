import { randomUUID } from 'node:crypto';
import { processEnvironment } from '../kernel/config/environment.ts';
import { loadPaymentsConfig } from '../kernel/config/payments.ts';
import type { PaymentProviderName } from '../kernel/contract/status.ts';
import { serveUntilSignal } from '../kernel/http/serve.ts';
import { listen } from '../kernel/http/server.ts';
import { createLogger } from '../kernel/logging.ts';
import { createMetrics } from '../kernel/metrics.ts';
import { createPool } from '../kernel/postgres/pool.ts';
import { verifyStandardWebhook } from '../kernel/providers/standard-webhooks.ts';
import { createPaymentStore } from '../ledger/payments/store.ts';
import { createApp } from './app.ts';
import { confirmationRouter } from './confirmations.ts';
import { startObserving } from './observe.ts';
import { createBreaker } from './providers/breaker.ts';
import { cardProvider } from './providers/card.ts';
import { createExchange } from './providers/exchange.ts';
import { walletProvider } from './providers/wallet.ts';
import { reconcileDay } from './reconcile/day.ts';
import { startReconciling } from './reconcile/job.ts';
import { startWorker } from './worker.ts';

const config = loadPaymentsConfig(processEnvironment());
const logger = createLogger({ service: 'payments', level: config.LOG_LEVEL, topology: config.TOPOLOGY });
const metrics = createMetrics({ service: 'payments', topology: config.TOPOLOGY });
const now = (): Date => new Date();

const pool = createPool({
  dsn: config.DATABASE_URL,
  applicationName: 'lab-payments',
  logger,
  max: config.POOL_MAX,
  statementTimeoutMs: config.STATEMENT_TIMEOUT_MS,
  queryTimeoutMs: config.STATEMENT_TIMEOUT_MS + 2_000,
  pipeline: true,
  // A step touches a few rows by their keys, whatever the statistics said when a plan was made.
  sessionSettings: { enable_seqscan: 'off', enable_hashjoin: 'off', enable_mergejoin: 'off' },
});
metrics.watchPool('payments', pool);
const store = createPaymentStore({ pool, now });

const access = (name: PaymentProviderName, url: string) => {
  const breaker = createBreaker({
    breakMs: config.PAYMENTS_BREAK_MS,
    nowMs: () => performance.now(),
    onChange: (isOpen) => {
      metrics.paymentBreakerOpen.set({ provider: name }, isOpen ? 1 : 0);
      logger.warn({ provider: name, isOpen }, 'the breaker of a provider changed');
    },
  });
  const timeoutMs = config.PROVIDER_TIMEOUT_MS;
  return { breaker, exchange: createExchange({ name, url, timeoutMs, breaker, metrics }) };
};
const card = access('card', config.CARD_PROVIDER_URL);
const wallet = access('wallet', config.WALLET_PROVIDER_URL);

const app = createApp({
  logger,
  metrics,
  metricsEnabled: config.METRICS_ENABLED,
  dependencies: [{ name: 'postgres', required: true, check: () => pool.query('select 1') }],
  confirmations: confirmationRouter({
    store,
    verify: (rawBody, headers) =>
      verifyStandardWebhook({ rawBody, headers, secrets: config.WALLET_SECRETS, now: now() }),
    onConfirmation: (was) => metrics.paymentConfirmations.inc({ was }),
  }),
});
const http = await listen(app, {
  host: config.PAYMENTS_HOST,
  port: config.PAYMENTS_PORT,
  requestTimeoutMs: 10_000,
});
const publicUrl = config.PAYMENTS_PUBLIC_URL ?? http.url;
const worker = startWorker(
  {
    store,
    pool,
    providers: {
      card: cardProvider(card.exchange, card.breaker),
      wallet: walletProvider(wallet.exchange, wallet.breaker, () => `${publicUrl}/confirmations/wallet`),
    },
    maxAttempts: config.PAYMENTS_ATTEMPTS,
    backoff: { firstMs: config.PAYMENTS_BACKOFF_MS, longestMs: config.PAYMENTS_BACKOFF_MAX_MS },
    askMs: config.PAYMENTS_ASK_MS,
    now,
    random: Math.random,
    logger,
    onEnd: (operation, end) => metrics.paymentCommands.inc({ operation, end }),
  },
  {
    owner: `payments ${randomUUID()}`,
    atOnce: config.PAYMENTS_AT_ONCE,
    leaseMs: config.PAYMENTS_LEASE_MS,
    pollMs: config.PAYMENTS_POLL_MS,
  },
);
const providerUrls = { card: config.CARD_PROVIDER_URL, wallet: config.WALLET_PROVIDER_URL };
const stopReconciling = startReconciling(
  { reconcile: (day) => reconcileDay(pool, providerUrls, day), metrics, logger, now },
  10 * 60_000,
);
const stopObserving = startObserving({ pool, metrics, logger }, 5_000);
serveUntilSignal(http, {
  service: 'payments',
  config,
  logger,
  shutdown: [
    { name: 'worker', run: () => worker.stop() },
    { name: 'http', run: () => http.close(2_000) },
    { name: 'observing', run: async () => stopObserving() },
    { name: 'reconciling', run: async () => stopReconciling() },
    { name: 'providers', run: () => Promise.all([card.exchange.close(), wallet.exchange.close()]) },
    { name: 'pool', run: () => pool.end() },
  ],
});
