import { execFile } from 'node:child_process';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Child, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { logTail } from './log-tail.ts';
import { MissingPartError } from './missing-part.ts';
import { waitUntil } from './processes.ts';
import { findServerUser } from './server-user.ts';
import { withClient } from './with-client.ts';

const run = promisify(execFile);

export interface PgbouncerInstallation {
  command: string;
  /** As in `1.18.0`. */
  version: string;
  /** Whether it can keep clients' prepared statements in transaction mode: from 1.21 on. */
  preparedStatements: boolean;
}

/** Debian puts it where an ordinary user's PATH does not lead. */
const places = ['/usr/sbin', '/usr/bin', '/usr/local/bin', '/usr/local/sbin', '/opt/homebrew/bin', '/opt/local/bin'];

/** The installed pgbouncer, or undefined. */
export async function findPgbouncer(): Promise<PgbouncerInstallation | undefined> {
  for (const place of places) {
    const command = path.join(place, 'pgbouncer');
    const text = await run(command, ['--version']).then(
      ({ stdout }) => stdout,
      () => '',
    );
    const version = /\d+\.\d+(\.\d+)?/.exec(text)?.[0];
    if (!version) continue;
    const [major = 0, minor = 0] = version.split('.').map(Number);
    return { command, version, preparedStatements: major > 1 || minor >= 21 };
  }
  return undefined;
}

export function missingPgbouncer(): MissingPartError {
  return new MissingPartError('pgbouncer', 'apt install pgbouncer, or brew install pgbouncer');
}

export interface PgbouncerOptions {
  runDirectory: string;
  /** Connection URLs with user and password, by the name that its clients use as database. All on 127.0.0.1. */
  databases: Readonly<Record<string, string>>;
  /** Server connections for each database and user. */
  poolSize?: number;
  signal?: AbortSignal | undefined;
}

export interface Pgbouncer {
  readonly name: string;
  readonly version: string;
  readonly preparedStatements: boolean;
  readonly port: number;
  readonly pid: number;
  /** The URL by which a service reaches one of the databases, as the user of its own URL. */
  dsn(database: string): string;
  kill(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
  /** Ends it if need be and starts it on the same port. Resolves once it leads to the first database. */
  restart(): Promise<void>;
}

/**
 * Starts pgbouncer in transaction mode, as an unprivileged user. Parameters of a session that it could not keep are
 * refused, and not ignored: a time limit that silently does nothing is worse than none.
 * @throws MissingPartError when it is not installed; Error with the end of its log when it does not start.
 */
export async function startPgbouncer(options: PgbouncerOptions): Promise<Pgbouncer> {
  const installation = await findPgbouncer();
  if (!installation) throw missingPgbouncer();
  const { runDirectory, databases } = options;
  const name = 'pgbouncer';
  const directory = path.join(runDirectory, name);
  const logFile = path.join(runDirectory, `${name}.log`);
  const user = await findServerUser();
  const configuration = path.join(directory, 'pgbouncer.ini');
  await mkdir(directory, { mode: 0o700 });
  if (user) await chown(directory, user.uid, user.gid);

  async function write(file: string, text: string): Promise<void> {
    await writeFile(file, text, { mode: 0o600 });
    if (user) await chown(file, user.uid, user.gid);
  }

  let port = 0;
  const dsn = (database: string): string => {
    const url = new URL(databases[database]!);
    url.port = String(port);
    url.pathname = `/${database}`;
    return url.href;
  };

  async function start(): Promise<Child> {
    const child = await startChild({
      ...{ command: installation!.command, arguments: [configuration], workingDirectory: directory, logFile, user },
      environment: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    });
    const first = dsn(Object.keys(databases)[0]!);
    const answers = () =>
      withClient(first, (client) => client.query('select 1')).then(
        () => true,
        () => false,
      );
    const settled = async () => child.ended !== undefined || (await answers());
    const { signal } = options;
    try {
      const inTime = await waitUntil(settled, { timeoutMs: 10_000, ...(signal && { signal }) });
      if (inTime && child.ended === undefined) return child;
    } catch (error) {
      await child.stop(stopSteps);
      throw error;
    }
    const reason = child.ended ?? 'no answer after 10 s';
    await child.stop(stopSteps);
    throw new Error(`pgbouncer ${installation!.version} did not start: ${reason}\n${await logTail(logFile)}`);
  }

  const users = Object.values(databases).map((text) => new URL(text));
  await write(path.join(directory, 'users.txt'), [...new Set(users.map(credentialLine))].join(''));
  let current: Child | undefined;
  for (let attempt = 1; current === undefined; attempt += 1) {
    port = await freePort();
    await write(configuration, configurationText({ ...options, installation, directory, port }));
    try {
      current = await start();
    } catch (error) {
      if (attempt === 5 || !/in use|cannot listen/.test(String(error))) throw error;
    }
  }
  let child = current;
  return {
    ...{ name, version: installation.version, preparedStatements: installation.preparedStatements, port, dsn },
    get pid() {
      return child.pid;
    },
    kill: (signal) => child.kill(signal),
    stop: () => child.stop(stopSteps),
    restart: async () => {
      await child.stop(stopSteps);
      child = await start();
    },
  };
}

/** SIGINT lets transactions end first; SIGTERM does not wait. */
const stopSteps = [
  { signal: 'SIGTERM', timeoutMs: 5_000 },
  { signal: 'SIGKILL', timeoutMs: 5_000 },
] as const;

function configurationText(
  options: PgbouncerOptions & { installation: PgbouncerInstallation; directory: string; port: number },
): string {
  const { databases, installation, directory, port, poolSize = 20 } = options;
  const lines = Object.entries(databases).map(([name, text]) => {
    const { hostname, port: serverPort, pathname } = new URL(text);
    return `${name} = host=${hostname} port=${serverPort} dbname=${pathname.slice(1)}`;
  });
  const settings: Record<string, string | number> = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: path.join(directory, 'users.txt'),
    pool_mode: 'transaction',
    default_pool_size: poolSize,
    max_client_conn: 500,
    ...(installation.preparedStatements && { max_prepared_statements: 200 }),
    // After a server was away, look for it again at once and not after 15 s.
    server_login_retry: 1,
    server_connect_timeout: 3,
    // Shorter than a caller's patience; the default of two minutes would let requests pile up.
    query_wait_timeout: 5,
    log_connections: 0,
    log_disconnections: 0,
  };
  const rest = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  return ['[databases]', ...lines, '', '[pgbouncer]', ...rest, ''].join('\n');
}

/** It logs in to the server with the same password, which takes the password itself and not its hash. */
function credentialLine({ username, password }: URL): string {
  return `"${decodeURIComponent(username)}" "${decodeURIComponent(password).replaceAll('"', '""')}"\n`;
}
