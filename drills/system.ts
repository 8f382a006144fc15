import { fileURLToPath } from 'node:url';
import { atEach, onEach } from '../kernel/postgres/hosts.ts';
import type { TopologyName } from '../kernel/topology.ts';
import { operatorToken } from '../runtime/access-token.ts';
import { generatePassword, generateSecrets } from '../runtime/native/credentials.ts';
import type { Database } from '../runtime/native/database.ts';
import { createRunDirectory } from '../runtime/native/run-directory.ts';
import { type Service, startService } from '../runtime/native/service.ts';
import { startDatabase } from '../runtime/native/start-database.ts';

/** What a drill breaks: a database with its replicas, and an API that is told the addresses of all of them. */
export interface DrillSystem {
  database: Database;
  api: Service;
  /** Signing secret of the native provider. */
  secret: string;
  /** An operator's access token. */
  token: string;
  runDirectory: string;
  /** Ends everything and removes the data. */
  close(): Promise<void>;
}

export interface DrillSystemOptions {
  topology: TopologyName;
  replicas: number;
  synchronous: boolean;
  postgres: 'embedded' | 'installed';
  /** Server settings; a function when they name places in the run's directory. */
  settings?: Record<string, string> | ((runDirectory: string) => Promise<Record<string, string>>);
  apiEnvironment?: Record<string, string>;
  progress: (line: string) => void;
  signal: AbortSignal;
}

/** @throws Error when a part does not start; nothing is left then. */
export async function startDrillSystem(options: DrillSystemOptions): Promise<DrillSystem> {
  const { topology, replicas, synchronous, postgres, progress, signal } = options;
  const run = await createRunDirectory();
  try {
    const runDirectory = run.path;
    const settings = typeof options.settings === 'function' ? await options.settings(runDirectory) : options.settings;
    const database = await startDatabase({
      topology,
      runDirectory,
      replicas,
      synchronous,
      postgres,
      progress,
      signal,
      ...(settings && { settings }),
    });
    const secrets = generateSecrets();
    progress('starting the API');
    const servers = [database.primary, ...database.replicas];
    const api = await startService({
      name: 'api',
      entry: fileURLToPath(new URL('../api/main.ts', import.meta.url)),
      runDirectory,
      environment: (port) => ({
        TOPOLOGY: topology,
        DATABASE_URL: onEach(database.dsn.api, servers),
        // All of them: a promotion makes a replica of any server sooner or later. The one that is primary is left out.
        ...(replicas > 0 && { REPLICA_DATABASE_URLS: atEach(database.dsn.reader, servers).join(',') }),
        API_HOST: '127.0.0.1',
        API_PORT: String(port),
        CURSOR_SECRET: generatePassword(),
        ACCESS_TOKEN_SECRETS: secrets.accessTokens,
        WEBHOOK_SECRETS_SILVERGATE: secrets.silvergate,
        ...options.apiEnvironment,
      }),
      signal,
    });
    const token = await operatorToken({ secrets });
    return { database, api, secret: secrets.silvergate, token, runDirectory, close: run.close };
  } catch (error) {
    await run.close();
    throw error;
  }
}
