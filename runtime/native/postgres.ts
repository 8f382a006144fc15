import { randomBytes } from 'node:crypto';
import { chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { waitUntil } from '../../kernel/wait.ts';
import { type Child, startChild } from './child.ts';
import { embeddedInstallation } from './embedded.ts';
import { type PostgresInstallation, preferredInstallation } from './installed.ts';
import { logTail } from './log-tail.ts';
import { asArguments, durableSettings, placeSettings } from './postgres-settings.ts';
import { findServerUser, type ServerUser } from './server-user.ts';
import { startOnPort, untilReady } from './until-ready.ts';
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
}

export interface PostgresServer {
  readonly kind: 'embedded' | 'installed';
  /** As in `18.4`. */
  readonly version: string;
  readonly name: string;
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly pid: number;
  /** What another server of the same run needs to be made from this one. */
  readonly installation: PostgresInstallation;
  readonly settings: Readonly<Record<string, string>>;
  readonly superuserPassword: string;
  /** A connection URL; the superuser on the database `postgres` unless told otherwise. */
  dsn(database?: string, user?: string, password?: string): string;
  /** Ends all connections and the server; `immediate` without the checkpoint, as in a crash. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Starts the ended server again on the same data and port. */
  restart(): Promise<void>;
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
        ...['-D', dataDirectory, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
        ...['--encoding=UTF8', '--locale=C', '--data-checksums', '--no-sync'],
      ],
      environment: serverEnvironment,
      workingDirectory: dataDirectory,
      logFile,
      user,
    });
    await waitUntil(() => child.ended !== undefined, { timeoutMs: 60_000 });
    if (child.ended !== 'exit status 0') {
      child.kill('SIGKILL');
      throw new Error(`initdb failed (${child.ended ?? 'no end after 60 s'}):\n${await logTail(logFile)}`);
    }
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** Starts a server on a prepared data directory. Tries other ports when somebody takes the chosen one first. */
export async function runServer(cluster: Cluster): Promise<PostgresServer> {
  const { runDirectory, name, installation, dataDirectory, superuserPassword } = cluster;
  const user = await findServerUser();
  const logFile = path.join(runDirectory, `${name}.log`);
  const settings = { ...durableSettings, ...cluster.settings };
  const clusterName = `${path.basename(runDirectory)}-${name}`;

  const start = async (port: number): Promise<Child> => {
    const child = await startChild({
      command: path.join(installation.binDirectory, 'postgres'),
      arguments: ['-D', dataDirectory, ...asArguments({ ...settings, ...placeSettings({ port, clusterName }) })],
      environment: serverEnvironment,
      workingDirectory: dataDirectory,
      logFile,
      user,
    });
    return untilReady(child, {
      ...{ name: `PostgreSQL ${installation.version} (${name})`, logFile, timeoutMs: 60_000, intervalMs: 10 },
      ready: () => isReady(dataDirectory, child.pid),
      stopSteps: immediateStop,
    });
  };

  const { port, child } = await startOnPort(cluster.port, /could not bind|Address already in use/, start);
  let current = child;
  return {
    kind: installation.kind,
    version: installation.version,
    name,
    host: '127.0.0.1',
    port,
    dataDirectory,
    logFile,
    installation,
    settings,
    superuserPassword,
    get pid() {
      return current.pid;
    },
    dsn: (database = 'postgres', user = 'postgres', password = superuserPassword) =>
      `postgresql://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`,
    stop: (mode = 'fast') =>
      current.stop(mode === 'fast' ? [{ signal: 'SIGINT', timeoutMs: 15_000 }, ...immediateStop] : immediateStop),
    kill: (signal) => current.kill(signal),
    restart: async () => {
      // It may have been killed a moment ago: until its end is noticed, its lock file counts.
      await waitUntil(() => current.ended !== undefined, { timeoutMs: 10_000 });
      for (let attempt = 1; ; attempt += 1) {
        try {
          current = await start(port);
          return;
        } catch (error) {
          // After kill -9 the former server's children may need a moment to notice and let go of its memory.
          if (attempt === 50 || !String(error).includes('still in use')) throw error;
          await delay(100);
        }
      }
    },
  };
}

const immediateStop = [
  { signal: 'SIGQUIT', timeoutMs: 5_000 },
  { signal: 'SIGKILL', timeoutMs: 5_000 },
] as const;

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
