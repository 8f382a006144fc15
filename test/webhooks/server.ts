import express from 'express';
import pg from 'pg';
import { pino } from 'pino';
import { createApp } from '../../api/app.ts';
import { deliverByGroupCommit } from '../../api/webhooks/deliver.ts';
import { oneServerIntake } from '../../api/webhooks/intake/one-server.ts';
import { oneServerWebhooks } from '../../api/webhooks/store/one-server.ts';
import { healthRouter } from '../../kernel/http/health.ts';
import { listen } from '../../kernel/http/server.ts';
import { createMetrics, type Metrics } from '../../kernel/metrics.ts';
import { createPool } from '../../kernel/postgres/pool.ts';
import { providers } from '../../kernel/providers/index.ts';
import { capabilities, type TopologyName } from '../../kernel/topology.ts';
import { webhookRouter } from '../../kernel/webhooks/router.ts';
import { automaticCaptureAccounts } from '../../runtime/merchant-accounts.ts';
import { asRole, createDatabase } from '../postgres/database.ts';
import { testSecrets } from './signing.ts';

export interface WebhookServer {
  url: string;
  dsn: string;
  metrics: Metrics;
  /** One statement on the server's database, as the superuser. */
  query(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

export interface WebhookServerOptions {
  topology: TopologyName;
  now?: () => Date;
  bodyMaxBytes?: number;
  requestTimeoutMs?: number;
  maxQueue?: number;
  /** Instead of the database's own, as for a store that is away. */
  dsn?: string;
}

/** The webhook part of the API in this process, over a database of its own, with the clock and limits of the test. */
export async function startWebhookServer(options: WebhookServerOptions): Promise<WebhookServer> {
  const { topology, now = () => new Date() } = options;
  const logger = pino({ level: 'silent' });
  const database = await createDatabase(topology);
  const pool = createPool({
    dsn: options.dsn ?? asRole(database.dsn, 'lab_api'),
    applicationName: 'webhook-test',
    logger,
    max: 4,
    pipeline: true,
  });
  const observer = new pg.Pool({ connectionString: database.dsn, max: 2 });
  const metrics = createMetrics({ service: 'api', topology });
  const { groupCommit } = oneServerIntake({
    store: oneServerWebhooks({ pool, dedupe: capabilities(topology).dedupe }),
    maxBatch: 64,
    maxQueue: options.maxQueue ?? 1_000,
    now: () => new Date(),
  });
  const app = createApp({
    logger,
    metrics,
    metricsEnabled: true,
    health: healthRouter([{ name: 'postgres', required: true, check: () => pool.query('select 1') }], 2_000),
    webhooks: webhookRouter({
      providers,
      secrets: testSecrets,
      merchant: { adyenAutomaticCapture: automaticCaptureAccounts },
      bodyMaxBytes: options.bodyMaxBytes ?? 262_144,
      now,
      metrics,
      deliver: deliverByGroupCommit(groupCommit, metrics),
    }),
    limiter: (_request, _response, next) => next(),
    authenticate: (_request, _response, next) => next(),
    openResources: [],
    resources: [],
    documentation: express.Router(),
  });
  const http = await listen(app, { host: '127.0.0.1', port: 0, requestTimeoutMs: options.requestTimeoutMs ?? 10_000 });
  return {
    url: http.url,
    dsn: database.dsn,
    metrics,
    query: async (text, values) => (await observer.query(text, values)).rows,
    close: async () => {
      await http.close(1_000);
      await groupCommit.idle();
      await Promise.all([pool.end(), observer.end()]);
      await database.drop();
    },
  };
}
