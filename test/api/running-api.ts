import type { ClickHouseClient } from '@clickhouse/client';
import type { RequestHandler, Router } from 'express';
import { Pool } from 'pg';
import { pino } from 'pino';
import { createApp } from '../../api/app.ts';
import { apiPaths } from '../../api/openapi/api-paths.ts';
import { openApiDocument } from '../../api/openapi/document.ts';
import { documentationRouter } from '../../api/openapi/router.ts';
import type { ProviderClient } from '../../api/provider-client/client.ts';
import { apiResources, openResources } from '../../api/resources.ts';
import { openStores } from '../../api/stores.ts';
import { createPasswords } from '../../api/users/passwords.ts';
import type { LoginLimits } from '../../api/users/throttle.ts';
import { deliverByGroupCommit } from '../../api/webhooks/deliver.ts';
import { type AccessTokens, createAccessTokens } from '../../kernel/access/access-tokens.ts';
import { authenticate } from '../../kernel/http/authenticate.ts';
import { createCursors } from '../../kernel/http/cursor.ts';
import { healthRouter } from '../../kernel/http/health.ts';
import { listen } from '../../kernel/http/server.ts';
import { createMetrics } from '../../kernel/metrics.ts';
import { createPool } from '../../kernel/postgres/pool.ts';
import { createReadRouter, type ReadRouter, type Replica } from '../../kernel/postgres/read-router.ts';
import { providers } from '../../kernel/providers/index.ts';
import { capabilities, type TopologyName } from '../../kernel/topology.ts';
import { webhookRouter } from '../../kernel/webhooks/router.ts';
import { createLedger } from '../../ledger/ledger.ts';
import { automaticCaptureAccounts } from '../../runtime/merchant-accounts.ts';
import { asRole, createDatabase, type TestDatabase } from '../postgres/database.ts';

export interface RunningApi {
  url: string;
  /** Connections as lab_api, as the service has them. */
  pool: Pool;
  /** In pipeline mode, as the service has it for webhooks. */
  webhookPool: Pool;
  reads: ReadRouter;
  /** The routers by the path below which they are mounted. */
  routers: { base: string; router: Router }[];
  document: ReturnType<typeof openApiDocument>;
  /** Signs what the API accepts. */
  tokens: AccessTokens;
  /** One statement on the API's database, as the superuser. */
  query(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  call(method: string, path: string, options?: CallOptions): Promise<ApiAnswer>;
  close(): Promise<void>;
}

export interface CallOptions {
  body?: unknown;
  /** Instead of `body`: sent as it stands. */
  rawBody?: string | Buffer;
  headers?: Record<string, string>;
  /** The access token of a request below /api/v1: an operator's unless told otherwise, none where it is null. */
  token?: string | null;
}

export interface ApiAnswer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  body: any;
}

export interface RunningApiOptions {
  topology: TopologyName;
  provider?: ProviderClient;
  /** Superuser's connection URL of a migrated database, instead of a new one. */
  dsn?: string;
  replicas?: Replica[];
  now?: () => Date;
  limiter?: RequestHandler;
  maxExports?: number;
  exportStallMs?: number;
  statementTimeoutMs?: number;
  /** Connections of the API's pool; 5 unless told otherwise. */
  poolMax?: number;
  clickhouse?: ClickHouseClient;
  /** Instead of limits that no test meets by chance. */
  loginLimits?: LoginLimits;
  /** Of sessions; 1,000 seconds unless told otherwise. */
  refreshLifetime?: number;
  /** By provider; with them webhooks are taken, by the same queue as in the service. */
  webhookSecrets?: Record<string, string>;
}

/** The API's resource endpoints in this process, over a database of its own. */
export async function startApi(options: RunningApiOptions): Promise<RunningApi> {
  const { topology, provider, now = () => new Date() } = options;
  const logger = pino({ level: 'silent' });
  const database = options.dsn === undefined ? await createDatabase(topology) : givenDatabase(options.dsn);
  const dsn = asRole(database.dsn, 'lab_api');
  const { statementTimeoutMs } = options;
  const pool = createPool({
    dsn,
    applicationName: 'api-test',
    logger,
    max: options.poolMax ?? 5,
    ...(statementTimeoutMs !== undefined && { statementTimeoutMs }),
  });
  const webhookPool = createPool({ dsn, applicationName: 'seed', logger, max: 2, pipeline: true });
  const observer = new Pool({ connectionString: database.dsn, max: 2 });
  const metrics = createMetrics({ service: 'api', topology });
  const replicas = options.replicas ?? [];
  const reads = createReadRouter({
    primary: pool,
    replicas,
    maxLagBytes: 1_000_000,
    pollMs: 3_600_000,
    metrics,
    logger,
  });
  const cursors = createCursors('a secret of the tests');
  const tokens = createAccessTokens({ secrets: ['a secret of the tests with 32 bytes'], now });
  const stores = openStores('one_server', {
    pool,
    webhookPool,
    ledgerPool: webhookPool,
    ledgerDeltas: false,
    dedupe: capabilities(topology).dedupe,
    maxBatch: 1,
    maxQueue: 100,
    now,
    logger,
    openWorkerPool: () => {
      throw new Error('one server has no workers');
    },
  });
  const ledger = createLedger({ store: stores.accounts, strategy: 'batched', now, maxBatch: 50, maxQueue: 100 });
  const webhookTargets = ['127.0.0.1:8025'];
  const deps = { ...stores, ledger, reads, cursors, provider, now, logger, webhookTargets };
  const resources = apiResources({ ...options, ...deps });
  const open = openResources({
    users: stores.users,
    passwords: createPasswords({ atOnce: 2, maxQueue: 100 }),
    tokens,
    limits: options.loginLimits ?? { perAccount: 1_000, perAddress: 1_000, windowSeconds: 900 },
    accessLifetime: 900,
    refreshLifetime: options.refreshLifetime ?? 1_000,
    now,
  });
  const document = openApiDocument(apiPaths(providers));
  const parts = {
    health: healthRouter([], 1_000),
    webhooks: webhookRouter({
      providers,
      secrets: new Map(providers.map(({ name }) => [name, [options.webhookSecrets?.[name] ?? 'whsec_']])),
      merchant: { adyenAutomaticCapture: automaticCaptureAccounts },
      bodyMaxBytes: 20_000,
      now,
      metrics,
      deliver: options.webhookSecrets
        ? deliverByGroupCommit(stores.webhooks.groupCommit, metrics)
        : () => Promise.reject(new Error('no webhooks here')),
    }),
    documentation: documentationRouter(document),
  };
  const limiter: RequestHandler = options.limiter ?? ((_request, _response, next) => next());
  const app = createApp({
    ...parts,
    logger,
    metrics,
    metricsEnabled: true,
    limiter,
    authenticate: authenticate(tokens),
    openResources: open,
    resources,
  });
  const http = await listen(app, { host: '127.0.0.1', port: 0, requestTimeoutMs: 10_000 });

  return {
    url: http.url,
    pool,
    webhookPool,
    reads,
    document,
    tokens,
    routers: [
      { base: '', router: parts.health },
      { base: '', router: parts.documentation },
      { base: '/webhooks', router: parts.webhooks },
      ...[...open, ...resources].map((router) => ({ base: '/api/v1', router })),
    ],
    query: async (text, values) => (await observer.query(text, values)).rows,
    call: async (method, path, given = {}) => {
      const { token = path.startsWith('/api/v1') ? await tokens.sign(operator, 60) : null } = given;
      const headers = { ...(token !== null && { authorization: `Bearer ${token}` }), ...given.headers };
      return call(http.url, method, path, { ...given, headers });
    },
    close: async () => {
      await http.close(1_000);
      reads.stop();
      await Promise.all([
        pool.end(),
        webhookPool.end(),
        observer.end(),
        ...replicas.map((replica) => replica.pool.end()),
      ]);
      await database.drop();
    },
  };
}

function givenDatabase(dsn: string): TestDatabase {
  return { dsn, drop: async () => {} };
}

const operator = { userId: 'op_1', role: 'operator' } as const;

async function call(url: string, method: string, path: string, options: CallOptions = {}): Promise<ApiAnswer> {
  const { body, rawBody, headers } = options;
  const sent = rawBody ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(url + path, {
    method,
    headers: { ...(sent !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(sent !== undefined && { body: sent }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') && !text.includes('\n{');
  return { status: response.status, headers: response.headers, body: isJson && text ? JSON.parse(text) : text };
}
