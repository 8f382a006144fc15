import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { atEach, onEach } from '../../kernel/postgres/hosts.ts';
import type { TopologyName } from '../../kernel/topology.ts';
import type { CdcEngine, SystemDescription, WebhookMode } from '../system-description.ts';
import { startClickhouse } from './clickhouse.ts';
import { generatePassword } from './credentials.ts';
import type { Database } from './database.ts';
import { databaseEnvironment, startPooler } from './database-access.ts';
import { startBroker } from './kafka/broker.ts';
import { startConnect } from './kafka/connect.ts';
import type { Part } from './part.ts';
import type { Pgbouncer } from './pgbouncer.ts';
import { type Service, startService } from './service.ts';
import { startDatabase } from './start-database.ts';
import { createStarts } from './starts.ts';
import type { SystemOptions } from './system-options.ts';

/** The running parts of a system. */
export interface SystemParts {
  database: Database;
  pgbouncer?: Pgbouncer;
  provider: Service;
  api: Service;
  ingest?: Service;
  broker?: Part & { bootstrapServers: string };
  connect?: Part & { url: string };
  clickhouse?: Part & { url: string };
  cdcProcess?: Service;
  /** All of them but the database's servers, in the order in which they depend on one another. */
  processes: Part[];
  /** What the services are told from their next start on; see `switchTopology` of a running system. */
  setTopology(topology: TopologyName, database: Database): void;
}

export interface PartsOptions extends SystemOptions {
  mode: WebhookMode;
  cdc: CdcEngine;
  runDirectory: string;
  secrets: SystemDescription['secrets'];
  progress: (line: string) => void;
}

/**
 * Starts every part as soon as what it needs is there. @throws the first failure, once nothing is being started any
 * more; what runs by then is the caller's to end.
 */
export async function startParts(options: PartsOptions): Promise<SystemParts> {
  const { runDirectory, secrets, progress } = options;
  let { topology } = options;
  /** Where a conversion has moved the rows to. */
  let moved: Database | undefined;
  const starts = createStarts(options.signal);
  const { signal } = starts;
  const wantsBroker = options.mode === 'kafka' || options.cdc === 'debezium';
  const database = starts.run(() => startDatabase({ ...options, signal }));
  const pgbouncer = options.pgbouncer
    ? starts.run(async () => {
        const started = await database;
        progress('starting pgbouncer');
        return startPooler(started, runDirectory, signal);
      })
    : undefined;
  const broker = wantsBroker
    ? starts.run(() => {
        progress('starting Kafka');
        return startBroker({ runDirectory, progress, signal });
      })
    : undefined;
  const clickhouse =
    options.cdc === 'off'
      ? undefined
      : starts.run(() => {
          progress('starting ClickHouse');
          return startClickhouse({ runDirectory, signal });
        });
  const provider = starts.run(() => {
    progress('starting the simulated payment provider');
    return startService({
      name: 'provider',
      entry: entryOf('../../simulator/provider/main.ts'),
      runDirectory,
      ...(options.ports?.provider !== undefined && { port: options.ports.provider }),
      environment: (port) => ({
        PROVIDER_PORT: String(port),
        PROVIDER_LEDGER: path.join(runDirectory, 'provider-ledger.jsonl'),
      }),
      signal,
    });
  });
  const api = starts.run(async () => {
    const [servers, { url: providerUrl }, kafka, store, pooler] = await Promise.all([
      ...([database, provider, broker, clickhouse, pgbouncer] as const),
    ]);
    progress('starting the API');
    const cursorSecret = generatePassword();
    return startService({
      name: 'api',
      entry: entryOf('../../api/main.ts'),
      runDirectory,
      ...(options.ports?.api !== undefined && { port: options.ports.api }),
      ...(options.wellKnownPorts && { preferredPort: 3000 }),
      environment: (port) => ({
        // See docs/decisions/0007.
        NODE_OPTIONS: '--max-semi-space-size=16',
        TOPOLOGY: topology,
        ...databaseEnvironment(moved ?? servers, pooler),
        API_HOST: '127.0.0.1',
        API_PORT: String(port),
        ...webhookSecrets(secrets),
        PROVIDER_URL: providerUrl,
        CURSOR_SECRET: cursorSecret,
        ...(options.mode === 'kafka' && kafka && { KAFKA_BROKERS: kafka.bootstrapServers }),
        ...(store && { CLICKHOUSE_URL: store.url }),
        ...options.apiEnvironment,
      }),
      signal,
    });
  });
  const ingest =
    options.mode === 'kafka'
      ? starts.run(async () => {
          const kafka = await broker;
          progress('starting the ingest gateway');
          return startService({
            name: 'ingest',
            entry: entryOf('../../ingest/main.ts'),
            runDirectory,
            ...(options.ports?.ingest !== undefined && { port: options.ports.ingest }),
            ...(options.wellKnownPorts && { preferredPort: 3001 }),
            environment: (port) => ({
              TOPOLOGY: topology,
              INGEST_HOST: '127.0.0.1',
              INGEST_PORT: String(port),
              KAFKA_BROKERS: kafka!.bootstrapServers,
              ...webhookSecrets(secrets),
              ...options.ingestEnvironment,
            }),
            signal,
          });
        })
      : undefined;
  const connect =
    options.cdc === 'debezium'
      ? starts.run(async () => {
          // Its first connector is registered by the cdc process. The password is known only once the database is up.
          const [{ dsn }, kafka] = await Promise.all([database, broker]);
          progress('starting Kafka Connect');
          const environment = { CDC_DATABASE_PASSWORD: decodeURIComponent(new URL(dsn.cdc).password) };
          return startConnect({
            runDirectory,
            bootstrapServers: kafka!.bootstrapServers,
            environment,
            progress,
            signal,
          });
        })
      : undefined;
  const cdcProcess = clickhouse
    ? starts.run(async () => {
        const [servers, store, kafka, worker] = await Promise.all([database, clickhouse, broker, connect]);
        progress(`starting change data capture (${options.cdc})`);
        return startService({
          name: 'cdc',
          entry: entryOf('../../cdc/main.ts'),
          runDirectory,
          ...(options.wellKnownPorts && { preferredPort: 3002 }),
          environment: (port) => ({
            TOPOLOGY: topology,
            CDC_ENGINE: worker ? 'kafka' : 'native',
            CDC_HOST: '127.0.0.1',
            CDC_PORT: String(port),
            ...sourceEnvironment(moved ?? servers),
            CLICKHOUSE_URL: store.url,
            ...(worker && { CONNECT_URL: worker.url, KAFKA_BROKERS: kafka!.bootstrapServers }),
            ...options.cdcEnvironment,
          }),
          readyTimeoutMs: 60_000,
          signal,
        });
      })
    : undefined;
  await starts.all();
  const parts: Omit<SystemParts, 'processes' | 'setTopology'> = {
    ...{ database: await database, provider: await provider, api: await api },
    ...(pgbouncer && { pgbouncer: await pgbouncer }),
    ...(broker && { broker: await broker }),
    ...(clickhouse && { clickhouse: await clickhouse }),
    ...(ingest && { ingest: await ingest }),
    ...(connect && { connect: await connect }),
    ...(cdcProcess && { cdcProcess: await cdcProcess }),
  };
  const pipeline = [parts.ingest, parts.connect, parts.cdcProcess];
  const all = [parts.pgbouncer, parts.broker, parts.clickhouse, parts.provider, parts.api, ...pipeline];
  return {
    ...parts,
    processes: all.filter((part) => part !== undefined),
    setTopology: (wanted, wantedDatabase) => {
      topology = wanted;
      moved = wantedDatabase;
    },
  };
}

/** Where change data capture reads: whichever server takes writes, or every worker of a cluster. */
function sourceEnvironment({ dsn, primary, replicas, workers }: Database): Record<string, string> {
  return {
    DATABASE_URL: onEach(dsn.cdc, [primary, ...replicas]),
    ...(workers.length > 0 && { WORKER_DATABASE_URLS: atEach(dsn.cdc, workers).join(',') }),
  };
}

function webhookSecrets(secrets: SystemDescription['secrets']): Record<string, string> {
  return {
    WEBHOOK_SECRETS_SILVERGATE: secrets.silvergate,
    WEBHOOK_SECRETS_STRIPE: secrets.stripe,
    WEBHOOK_SECRETS_ADYEN: secrets.adyen,
  };
}

function entryOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
