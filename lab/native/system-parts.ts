import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TopologyName } from '../../kernel/topology.ts';
import { generatePassword } from './credentials.ts';
import { type Database, startDatabase } from './database.ts';
import { type Service, startService } from './service.ts';
import { createStarts } from './starts.ts';
import type { SystemDescription, SystemOptions } from './system.ts';

export type WebhookMode = 'sync' | 'kafka';
export type CdcEngine = 'native' | 'debezium' | 'off';

/** A process of a run, whatever program it runs. */
export interface Part {
  readonly name: string;
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** The running parts of a system. */
export interface SystemParts {
  database: Database;
  provider: Service;
  api: Service;
  ingest?: Service;
  broker?: Part & { brokers: readonly string[] };
  connect?: Part & { url: string };
  clickhouse?: Part & { url: string };
  cdcProcess?: Service;
  /** All of them but the database's servers, in the order in which they depend on one another. */
  processes: Part[];
  /** What the services are told from their next start on; see `switchTopology` of a running system. */
  setTopology(topology: TopologyName): void;
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
  const starts = createStarts(options.signal);
  const { signal } = starts;
  const database = starts.run(() => startDatabase({ ...options, signal }));
  const provider = starts.run(() => {
    progress('starting the simulated payment provider');
    return startService({
      name: 'provider',
      entry: entryOf('../provider/main.ts'),
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
    const [{ dsn }, { url: providerUrl }] = await Promise.all([database, provider]);
    progress('starting the API');
    const cursorSecret = generatePassword();
    return startService({
      name: 'api',
      entry: entryOf('../../api/main.ts'),
      runDirectory,
      ...(options.ports?.api !== undefined && { port: options.ports.api }),
      preferredPort: 3000,
      environment: (port) => ({
        TOPOLOGY: topology,
        DATABASE_URL: dsn.api,
        ...(dsn.replicas.length > 0 && { REPLICA_DATABASE_URLS: dsn.replicas.join(',') }),
        API_HOST: '127.0.0.1',
        API_PORT: String(port),
        ...webhookSecrets(secrets),
        PROVIDER_URL: providerUrl,
        CURSOR_SECRET: cursorSecret,
        ...options.apiEnvironment,
      }),
      signal,
    });
  });
  await starts.all();
  const parts = { database: await database, provider: await provider, api: await api };
  return {
    ...parts,
    processes: [parts.provider, parts.api],
    setTopology: (wanted) => {
      topology = wanted;
    },
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
