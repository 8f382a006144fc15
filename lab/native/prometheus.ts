import { execFile } from 'node:child_process';
import { chown, copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TopologyName } from '../../kernel/topology.ts';
import { type Child, startChild } from './child.ts';
import { generatePassword } from './credentials.ts';
import { freePort } from './free-port.ts';
import { logTail } from './log-tail.ts';
import { MissingPartError } from './missing-part.ts';
import type { PostgresServer } from './postgres.ts';
import { waitUntil } from './processes.ts';
import { findServerUser, type ServerUser } from './server-user.ts';
import type { Part } from './system-parts.ts';
import { withClient } from './with-client.ts';

const run = promisify(execFile);
const configuration = fileURLToPath(new URL('../../grafana/prometheus/', import.meta.url));

/** A program that is installed. */
export interface Installed {
  command: string;
  /** As in `2.42.0`. */
  version: string;
}

export function findPrometheus(): Promise<Installed | undefined> {
  return findProgram(['prometheus']);
}

/** Debian gives it a longer name than its makers. */
export function findPostgresExporter(): Promise<Installed | undefined> {
  return findProgram(['postgres_exporter', 'prometheus-postgres-exporter']);
}

export function missingPrometheus(): MissingPartError {
  return new MissingPartError('Prometheus', 'apt install prometheus prometheus-postgres-exporter');
}

export interface PrometheusOptions {
  runDirectory: string;
  topology: TopologyName;
  /** Base URLs of services that have `/metrics`, by job. */
  services: Readonly<Record<string, string>>;
  /** Servers that postgres_exporter is asked for, where that is installed; the first one is the primary. */
  servers: readonly PostgresServer[];
  database: string;
  signal?: AbortSignal | undefined;
}

export interface Prometheus {
  readonly url: string;
  /** Prometheus first, then an exporter for each server. */
  readonly parts: readonly Part[];
  /** What the targets are labelled with from now on. */
  setTopology(topology: TopologyName): Promise<void>;
}

/**
 * Starts Prometheus with the configuration and the alert rules of grafana/prometheus, and an exporter for each server.
 * @throws MissingPartError when Prometheus is not installed; Error with the end of the log of what does not start.
 */
export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const installed = await findPrometheus();
  if (!installed) throw missingPrometheus();
  const common = await prepare(options.runDirectory, options.signal);
  const { directory } = common;
  const exporters = await startExportersIn(common, options.database, options.servers);
  const targetFile = path.join(directory, 'targets', 'lab.yml');
  const setTopology = async (topology: TopologyName): Promise<void> => {
    const targets = [
      ...Object.entries(options.services).map(([job, url]) => ({ job, host: new URL(url).host })),
      ...exporters.map(({ port }) => ({ job: 'postgres', host: `127.0.0.1:${port}` })),
    ].map(({ job, host }) => ({ targets: [host], labels: { job, topology } }));
    // JSON is YAML.
    await writeFile(targetFile, `${JSON.stringify(targets, null, 2)}\n`, { mode: 0o644 });
  };
  await setTopology(options.topology);
  const server = await startServer('prometheus', common, {
    command: installed.command,
    options: (port) => [
      `--config.file=${path.join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${path.join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    readyPath: '/-/ready',
  });
  return { url: `http://127.0.0.1:${server.port}`, parts: [server, ...exporters], setTopology };
}

/**
 * An exporter for each server, the primary first; none where postgres_exporter is not installed. For a run that has no
 * Prometheus of its own.
 */
export async function startExporters(
  runDirectory: string,
  database: string,
  servers: readonly PostgresServer[],
): Promise<Server[]> {
  return startExportersIn(await prepare(runDirectory), database, servers);
}

const exporterRole = 'lab_exporter';

async function startExportersIn(
  common: Common,
  database: string,
  servers: readonly PostgresServer[],
): Promise<Server[]> {
  const installed = await findPostgresExporter();
  if (!installed) return [];
  const password = generatePassword();
  // It sees statistics and no rows.
  await withClient(servers[0]!.dsn(database), (client) =>
    client.query(`create role ${exporterRole} login password '${password}' in role pg_monitor`),
  );
  const exporters: Server[] = [];
  for (const server of servers) {
    const dsn = `${server.dsn(database, exporterRole, password)}?sslmode=disable`;
    exporters.push(
      await startServer(`exporter_${server.name}`, common, {
        command: installed.command,
        options: (port) => [
          `--extend.query-path=${path.join(common.directory, 'postgres-queries.yml')}`,
          `--web.listen-address=127.0.0.1:${port}`,
          '--disable-settings-metrics',
        ],
        environment: { DATA_SOURCE_NAME: dsn },
        readyPath: '/',
      }),
    );
  }
  return exporters;
}

interface Common {
  runDirectory: string;
  directory: string;
  user: ServerUser | undefined;
  signal: AbortSignal | undefined;
}

interface Program {
  command: string;
  options(port: number): string[];
  environment?: Record<string, string>;
  /** Answers 200 once the program is ready. */
  readyPath: string;
}

/** A part with its port. */
export type Server = Part & { readonly port: number };

/** A program that listens on a port which it is told. @throws Error with the end of its log. */
async function startServer(name: string, common: Common, program: Program): Promise<Server> {
  const logFile = path.join(common.runDirectory, `${name}.log`);
  const startOn = async (port: number): Promise<Child> => {
    const child = await startChild({
      ...{ command: program.command, arguments: program.options(port), logFile, user: common.user },
      workingDirectory: common.directory,
      environment: { PATH: '/usr/local/bin:/usr/bin:/bin', TZ: 'UTC', ...program.environment },
    });
    const settled = async () => child.ended !== undefined || (await answers(port, program.readyPath));
    try {
      const options = { timeoutMs: 20_000, intervalMs: 50, ...(common.signal && { signal: common.signal }) };
      if ((await waitUntil(settled, options)) && child.ended === undefined) return child;
    } catch (error) {
      await child.stop(stopSteps);
      throw error;
    }
    const reason = child.ended ?? 'not ready after 20 s';
    await child.stop(stopSteps);
    throw new Error(`${name} did not start: ${reason}\nEnd of its log:\n${await logTail(logFile)}`);
  };
  let port = await freePort();
  let child = await startOn(port).catch(async (error) => {
    // Somebody else was quicker.
    if (!String(error).includes('address already in use')) throw error;
    port = await freePort();
    return startOn(port);
  });
  return {
    name,
    port,
    get pid() {
      return child.pid;
    },
    kill: (signal) => child.kill(signal),
    stop: () => child.stop(stopSteps),
    restart: async () => {
      await child.stop(stopSteps);
      child = await startOn(port);
    },
  };
}

const stopSteps = [
  { signal: 'SIGTERM', timeoutMs: 5_000 },
  { signal: 'SIGKILL', timeoutMs: 5_000 },
] as const;

async function answers(port: number, readyPath: string): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${readyPath}`, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** Copies the configuration, because the servers may run as a user that can't read the checkout. */
async function prepare(runDirectory: string, signal?: AbortSignal): Promise<Common> {
  const directory = path.join(runDirectory, 'prometheus');
  const user = await findServerUser();
  const folders = ['', 'rules', 'targets', 'data'].map((name) => path.join(directory, name));
  for (const folder of folders) await mkdir(folder, { mode: 0o755 });
  for (const file of ['prometheus.yml', 'postgres-queries.yml', 'rules/alerts.yml']) {
    await copyFile(path.join(configuration, file), path.join(directory, file));
  }
  if (user) for (const folder of folders) await chown(folder, user.uid, user.gid);
  return { runDirectory, directory, user, signal };
}

/** Where packages and people put programs; a service's PATH would not lead to all of them. */
const places = ['/usr/local/bin', '/usr/bin', '/usr/sbin', '/opt/homebrew/bin', '/opt/local/bin'];

async function findProgram(names: readonly string[]): Promise<Installed | undefined> {
  for (const command of names.flatMap((name) => places.map((place) => path.join(place, name)))) {
    const text = await run(command, ['--version'], { timeout: 10_000 }).then(
      // Older ones print it on stderr.
      ({ stdout, stderr }) => stdout || stderr,
      () => '',
    );
    const version = /\d+\.\d+\.\d+/.exec(text)?.[0];
    if (version) return { command, version };
  }
  return undefined;
}
