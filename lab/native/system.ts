import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { capabilities, type TopologyName } from '../../kernel/topology.ts';
import { generatePassword, generateSecrets } from './credentials.ts';
import { startDatabase } from './database.ts';
import { MissingPartError } from './missing-part.ts';
import type { PostgresServer } from './postgres.ts';
import { createRunDirectory, writeDescription } from './run-directory.ts';
import { type Service, startService } from './service.ts';
import { readStorage } from './storage.ts';

export interface SystemOptions {
  topology: TopologyName;
  /** Streaming replicas; one on a topology that reads from them, else none. */
  replicas?: number;
  /** Commits wait for a replica. */
  synchronous?: boolean;
  postgres?: 'embedded' | 'installed';
  /** Ports that must be used; without one the API takes 3000 when free, else any. */
  ports?: { api?: number; provider?: number };
  /** PostgreSQL settings beyond the lab's own. */
  settings?: Record<string, string>;
  apiEnvironment?: Record<string, string>;
  progress?: (line: string) => void;
  /** Stops a start that is under way; what was started is cleaned up. */
  signal?: AbortSignal;
}

/** What is known about a running system; stored as run.json in its directory. */
export interface SystemDescription {
  id: string;
  topology: TopologyName;
  mode: 'sync';
  runDirectory: string;
  supervisorPid: number;
  /** RFC 3339, UTC. */
  startedAt: string;
  urls: { api: string; provider: string };
  dsn: { admin: string; api: string; reader: string; replicas: string[] };
  secrets: { silvergate: string; stripe: string; adyen: string };
  postgres: { kind: 'embedded' | 'installed'; version: string };
  /** Where the data lies; in memory, a commit costs too little. */
  storage: { fileSystem: string; inMemory: boolean };
  processes: { name: string; pid: number }[];
}

/** A child process that a drill may end and start again. */
export interface ChildProcessHandle {
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  restart(): Promise<void>;
}

export interface RunningSystem extends SystemDescription {
  /** Ends everything and removes the run's directory. */
  stop(): Promise<void>;
  api: ChildProcessHandle;
  primary: PostgresServer;
  replicas: readonly PostgresServer[];
}

/**
 * Starts PostgreSQL with its replicas, migrates it, starts the simulated provider and the API.
 * @throws MissingPartError when this machine lacks a part of the topology; Error, with the end of the log of what
 * failed, when a part does not start. Nothing is left running then.
 */
export async function startSystem(options: SystemOptions): Promise<RunningSystem> {
  const extension = capabilities(options.topology).requiredExtension;
  if (extension) {
    throw new MissingPartError(`the ${extension} extension`, `the native runtime can't start ${options.topology} yet`);
  }
  const run = await createRunDirectory();
  try {
    return await startIn(run, options);
  } catch (error) {
    await run.close();
    throw error;
  }
}

async function startIn(run: { id: string; path: string; close(): Promise<void> }, options: SystemOptions) {
  const { topology, signal, progress = () => {} } = options;
  const runDirectory = run.path;
  const secrets = generateSecrets();
  const { fileSystem, inMemory } = await readStorage(runDirectory);
  if (inMemory) progress(`${runDirectory} lies in memory: fsync costs nothing there. Set LAB_HOME to a disk.`);
  const database = await startDatabase({ ...options, runDirectory, progress });
  signal?.throwIfAborted();

  progress('starting the simulated payment provider');
  const provider = await startService({
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

  progress('starting the API');
  const cursorSecret = generatePassword();
  const api = await startService({
    name: 'api',
    entry: entryOf('../../api/main.ts'),
    runDirectory,
    ...(options.ports?.api !== undefined && { port: options.ports.api }),
    preferredPort: 3000,
    environment: (port) => ({
      TOPOLOGY: topology,
      DATABASE_URL: database.dsn.api,
      ...(database.dsn.replicas.length > 0 && { REPLICA_DATABASE_URLS: database.dsn.replicas.join(',') }),
      API_HOST: '127.0.0.1',
      API_PORT: String(port),
      WEBHOOK_SECRETS_SILVERGATE: secrets.silvergate,
      WEBHOOK_SECRETS_STRIPE: secrets.stripe,
      WEBHOOK_SECRETS_ADYEN: secrets.adyen,
      PROVIDER_URL: provider.url,
      CURSOR_SECRET: cursorSecret,
      ...options.apiEnvironment,
    }),
    signal,
  });

  const { primary, replicas } = database;
  const describe = (): SystemDescription => ({
    id: run.id,
    topology,
    mode: 'sync',
    runDirectory,
    supervisorPid: process.pid,
    startedAt,
    urls: { api: api.url, provider: provider.url },
    dsn: database.dsn,
    secrets,
    postgres: { kind: primary.kind, version: primary.version },
    storage: { fileSystem, inMemory },
    processes: [primary, ...replicas, provider, api].map(({ name, pid }) => ({ name, pid })),
  });
  const startedAt = new Date().toISOString();
  await writeDescription(describe());
  return {
    ...describe(),
    primary,
    replicas,
    api: {
      get pid() {
        return api.pid;
      },
      kill: (wanted) => api.kill(wanted),
      restart: async () => {
        await api.restart();
        await writeDescription(describe());
      },
    },
    stop: () => stopInOrder([api, provider], [...replicas, primary], run.close),
  } satisfies RunningSystem;
}

/** Services first, so that none logs errors about a database that is on its way out. */
async function stopInOrder(services: Service[], servers: PostgresServer[], close: () => Promise<void>): Promise<void> {
  try {
    await Promise.all(services.map((service) => service.stop()));
    // The data is removed next: there is nothing to write a checkpoint for.
    await Promise.all(servers.map((server) => server.stop('immediate')));
  } finally {
    await close();
  }
}

function entryOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
