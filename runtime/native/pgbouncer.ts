import { chown, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pinnedStatement } from '../../kernel/postgres/session-settings.ts';
import { withPooledClient } from '../../kernel/postgres/with-client.ts';
import { type Child, startChild, terminateSteps } from './child.ts';
import { type ListeningPart, startListening } from './part.ts';
import { findPgbouncer, missingPgbouncer, type PgbouncerInstallation } from './pgbouncer-installation.ts';
import { findServerUser, type ServerUser } from './server-user.ts';
import { untilReady } from './until-ready.ts';

export interface PgbouncerOptions {
  runDirectory: string;
  /**
   * Connection URLs with user and password, by the name that its clients use as database. All on 127.0.0.1. Asked at
   * each start: a promotion changes where they lead, and never the users.
   */
  databases: () => Readonly<Record<string, string>>;
  /** Server connections for each database and user. */
  poolSize?: number;
  signal?: AbortSignal | undefined;
}

export interface Pgbouncer extends ListeningPart {
  readonly version: string;
  readonly preparedStatements: boolean;
  /** The URL by which a service reaches one of the databases, as the user of its own URL. */
  dsn(database: string): string;
}

/**
 * Starts pgbouncer in transaction mode, as an unprivileged user. It is ready once it leads to the first database.
 * Parameters of a session that it could not keep are refused, and not ignored: a time limit that silently does nothing
 * is worse than none.
 * @throws MissingPartError when it is not installed; Error with the end of its log when it does not start.
 */
export async function startPgbouncer(options: PgbouncerOptions): Promise<Pgbouncer> {
  const installation = await findPgbouncer();
  if (!installation) throw missingPgbouncer();
  const { version, preparedStatements } = installation;
  const user = await findServerUser();
  const directory = path.join(options.runDirectory, name);
  await mkdir(directory, { mode: 0o700 });
  if (user) await chown(directory, user.uid, user.gid);
  const users = Object.values(options.databases()).map((text) => new URL(text));
  await writeOwned(path.join(directory, 'users.txt'), [...new Set(users.map(credentialLine))].join(''), user);

  const start = (port: number) => startOn({ ...options, installation, user, directory, port });
  const part = await startListening({ name, portTaken: /in use|cannot listen/, start, stopSteps });
  return Object.assign(part, {
    version,
    preparedStatements,
    dsn: (database: string) => dsnAt(options.databases(), database, part.port),
  });
}

const name = 'pgbouncer';

/** SIGINT lets transactions end first; SIGTERM does not wait. */
const stopSteps = terminateSteps(5_000);

interface Place extends PgbouncerOptions {
  installation: PgbouncerInstallation;
  user: ServerUser | undefined;
  directory: string;
  port: number;
}

async function startOn(place: Place): Promise<Child> {
  const { runDirectory, databases, installation, user, directory, port, signal } = place;
  const logFile = path.join(runDirectory, `${name}.log`);
  const configuration = path.join(directory, 'pgbouncer.ini');
  await writeOwned(configuration, configurationText(place), user);
  const child = await startChild({
    command: installation.command,
    arguments: [configuration],
    workingDirectory: directory,
    logFile,
    user,
    environment: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
  });
  const first = dsnAt(databases(), Object.keys(databases())[0]!, port);
  const ready = () =>
    withPooledClient(first, (client) => client.query('select 1')).then(
      () => true,
      () => false,
    );
  return untilReady(child, {
    name: `pgbouncer ${installation.version}`,
    logFile,
    timeoutMs: 10_000,
    ready,
    stopSteps,
    signal,
  });
}

function dsnAt(databases: Readonly<Record<string, string>>, database: string, port: number): string {
  const url = new URL(databases[database]!);
  url.port = String(port);
  url.pathname = `/${database}`;
  return url.href;
}

async function writeOwned(file: string, text: string, user: ServerUser | undefined): Promise<void> {
  await writeFile(file, text, { mode: 0o600 });
  if (user) await chown(file, user.uid, user.gid);
}

function configurationText({ databases, installation, directory, port, poolSize = 20 }: Place): string {
  const lines = Object.entries(databases()).map(([name, text]) => {
    const { hostname, port: serverPort, pathname } = new URL(text);
    const settings = pinnedStatement().replaceAll("'", "''");
    return `${name} = host=${hostname} port=${serverPort} dbname=${pathname.slice(1)} connect_query='${settings}'`;
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
