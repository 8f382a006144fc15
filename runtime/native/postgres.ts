import { randomBytes } from 'node:crypto';
import { chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConstantBackoff, handleWhen, retry } from 'cockatiel';
import { type Child, startChild } from './child.ts';
import { embeddedInstallation } from './embedded.ts';
import { type PostgresInstallation, preferredInstallation } from './installed.ts';
import { type Part, startListening } from './part.ts';
import { asArguments, durableSettings, placeSettings } from './postgres-settings.ts';
import { findServerUser, type ServerUser } from './server-user.ts';
import { untilDone, untilReady } from './until-ready.ts';
import { walCompression } from './wal-compression.ts';

export interface PostgresOptions {
  /** Directory of the run; data and log are made below it. */
  runDirectory: string;
  /** Unique in the run, as in `primary`. */
  name: string;
  port?: number;
  /** Added to `durableSettings`, or replacing them. */
  settings?: Record<string, string>;
  kind?: 'embedded' | 'installed';
  /** Of the installed servers, one that has this extension comes before newer ones without it. */
  preferExtension?: string | undefined;
  /** Made up unless given: the nodes of a cluster share one. */
  superuserPassword?: string;
  /** Ends a start that is under way, also that of a restart. */
  signal?: AbortSignal | undefined;
}

export interface PostgresServer extends Part {
  readonly kind: 'embedded' | 'installed';
  /** As in `18.4`. */
  readonly version: string;
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly dataDirectory: string;
  readonly logFile: string;
  /** What another server of the same run needs to be made from this one. */
  readonly installation: PostgresInstallation;
  readonly settings: Readonly<Record<string, string>>;
  readonly superuserPassword: string;
  /** A connection URL; the superuser on the database `postgres` unless told otherwise. */
  dsn(database?: string, user?: string, password?: string): string;
  /** Ends all connections and the server; `immediate` without the checkpoint, as in a crash. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
}

/** Makes a new cluster and starts it. @throws Error with the end of the server's log when it does not start. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const user = await findServerUser();
  const installation =
    options.kind === 'installed'
      ? await preferredInstallation(options.preferExtension, user)
      : await embeddedInstallation(user);
  const dataDirectory = await makeDataDirectory(options, user);
  const superuserPassword = options.superuserPassword ?? randomBytes(18).toString('base64url');
  await initialise({ ...options, installation, dataDirectory, superuserPassword, user });
  const settings = { ...(await walCompression(installation, dataDirectory, user)), ...options.settings };
  return runServer({ ...options, settings, installation, dataDirectory, superuserPassword });
}

/** An empty directory below the run's, owned by the server's user. */
export async function makeDataDirectory(
  options: { runDirectory: string; name: string },
  user: ServerUser | undefined,
): Promise<string> {
  const directory = path.join(options.runDirectory, `${options.name}-data`);
  await mkdir(directory, { mode: 0o700 });
  if (user) await chown(directory, user.uid, user.gid);
  return directory;
}

interface Cluster extends PostgresOptions {
  installation: PostgresInstallation;
  dataDirectory: string;
  superuserPassword: string;
}

async function initialise(cluster: Cluster & { user: ServerUser | undefined }): Promise<void> {
  const { runDirectory, name, installation, dataDirectory, superuserPassword, user } = cluster;
  const passwordFile = path.join(runDirectory, `${name}-password`);
  await writeFile(passwordFile, superuserPassword, { mode: 0o600 });
  if (user) await chown(passwordFile, user.uid, user.gid);
  const logFile = path.join(runDirectory, `${name}-initdb.log`);
  try {
    const child = await startChild({
      command: path.join(installation.binDirectory, 'initdb'),
      // Locale C and checksums on all versions, so that an older server is not the faster one for doing less.
      arguments: [
        '-D',
        dataDirectory,
        '-U',
        'postgres',
        '--auth=scram-sha-256',
        `--pwfile=${passwordFile}`,
        '--encoding=UTF8',
        '--locale=C',
        '--data-checksums',
        '--no-sync',
      ],
      environment: serverEnvironment,
      workingDirectory: dataDirectory,
      logFile,
      user,
    });
    await untilDone(child, 'initdb failed', logFile);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** Starts a server on a prepared data directory; its restarts keep data and port. */
export async function runServer(cluster: Cluster): Promise<PostgresServer> {
  const { runDirectory, name, installation, dataDirectory, superuserPassword } = cluster;
  const user = await findServerUser();
  const logFile = path.join(runDirectory, `${name}.log`);
  const settings = { ...durableSettings, ...cluster.settings };
  const start = (port: number) => startOn({ ...cluster, settings, logFile, user }, port);
  const part = await startListening({
    name,
    port: cluster.port,
    portTaken: /could not bind|Address already in use/,
    // After kill -9 the former server's children may need a moment to notice and let go of its memory.
    start: (port) => whileInUse.execute(() => start(port)),
    stopSteps: fastStop,
  });
  const { port, stop } = part;
  return Object.assign(part, {
    kind: installation.kind,
    version: installation.version,
    host: '127.0.0.1' as const,
    dataDirectory,
    logFile,
    installation,
    settings,
    superuserPassword,
    dsn: (database = 'postgres', role = 'postgres', password = superuserPassword) =>
      `postgresql://${role}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`,
    stop: (mode: 'fast' | 'immediate' = 'fast') => stop(mode === 'fast' ? fastStop : immediateStop),
  });
}

const whileInUse = retry(
  handleWhen((error) => String(error).includes('still in use')),
  { maxAttempts: 49, backoff: new ConstantBackoff(100) },
);

interface ServerProcess extends Cluster {
  settings: Readonly<Record<string, string>>;
  logFile: string;
  user: ServerUser | undefined;
}

async function startOn(server: ServerProcess, port: number): Promise<Child> {
  const { runDirectory, name, installation, dataDirectory, settings, logFile, user, signal } = server;
  const clusterName = `${path.basename(runDirectory)}-${name}`;
  const child = await startChild({
    command: path.join(installation.binDirectory, 'postgres'),
    arguments: ['-D', dataDirectory, ...asArguments({ ...settings, ...placeSettings({ port, clusterName }) })],
    environment: serverEnvironment,
    workingDirectory: dataDirectory,
    logFile,
    user,
  });
  return untilReady(child, {
    name: `PostgreSQL ${installation.version} (${name})`,
    logFile,
    timeoutMs: 60_000,
    intervalMs: 10,
    ready: () => isReady(dataDirectory, child.pid),
    stopSteps: immediateStop,
    signal,
  });
}

const immediateStop = [
  { signal: 'SIGQUIT', timeoutMs: 5_000 },
  { signal: 'SIGKILL', timeoutMs: 5_000 },
] as const;

const fastStop = [{ signal: 'SIGINT', timeoutMs: 15_000 }, ...immediateStop] as const;

/** Nothing of the caller's environment: a stray PGDATA or locale must not change what is measured. */
const serverEnvironment = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/**
 * As `pg_ctl` finds it out: the server writes its state into the eighth line of postmaster.pid. A standby that answers
 * no queries never gets beyond `standby`.
 */
async function isReady(dataDirectory: string, pid: number): Promise<boolean> {
  const text = await readFile(path.join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  return lines[0] === String(pid) && ['ready', 'standby'].includes(lines[7]?.trim() ?? '');
}
