import { chown, copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { withClient } from '../../kernel/postgres/with-client.ts';
import type { TopologyName } from '../../kernel/topology.ts';
import { type Child, startChild, terminateSteps } from './child.ts';
import { generatePassword } from './credentials.ts';
import { isHttpReady } from './http-ready.ts';
import { type ListeningPart, type Part, startListening } from './part.ts';
import type { PostgresServer } from './postgres.ts';
import { findPostgresExporter, findPrometheus, missingPrometheus } from './prometheus-installation.ts';
import { findServerUser, type ServerUser } from './server-user.ts';
import { untilReady } from './until-ready.ts';

const configuration = fileURLToPath(new URL('../../grafana/prometheus/', import.meta.url));

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
  /** From now on exporters watch these servers, the first of them a primary, and no others. */
  watch(servers: readonly PostgresServer[]): Promise<void>;
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
  let { topology } = options;
  let exporters = await startExportersIn(common, options.database, options.servers);
  const targetFile = path.join(directory, 'targets', 'lab.yml');
  const writeTargets = async (): Promise<void> => {
    const targets = [
      ...Object.entries(options.services).map(([job, url]) => ({ job, host: new URL(url).host })),
      ...exporters.map(({ port }) => ({ job: 'postgres', host: `127.0.0.1:${port}` })),
    ].map(({ job, host }) => ({ targets: [host], labels: { job, topology } }));
    // JSON is YAML.
    await writeFile(targetFile, `${JSON.stringify(targets, null, 2)}\n`, { mode: 0o644 });
  };
  await writeTargets();
  const server = await startServer('prometheus', common, {
    command: installed.command,
    options: (port) => [
      `--config.file=${path.join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${path.join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    readyPath: '/-/ready',
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    get parts() {
      return [server, ...exporters];
    },
    setTopology: (wanted) => {
      topology = wanted;
      return writeTargets();
    },
    watch: async (servers) => {
      const left = exporters;
      exporters = await startExportersIn(common, options.database, servers);
      await writeTargets();
      await Promise.all(left.map((one) => one.stop()));
    },
  };
}

/**
 * An exporter for each server, the primary first; none where postgres_exporter is not installed. For a run that has no
 * Prometheus of its own.
 */
export async function startExporters(
  runDirectory: string,
  database: string,
  servers: readonly PostgresServer[],
): Promise<ListeningPart[]> {
  return startExportersIn(await prepare(runDirectory), database, servers);
}

const exporterRole = 'lab_exporter';

async function startExportersIn(
  common: Common,
  database: string,
  servers: readonly PostgresServer[],
): Promise<ListeningPart[]> {
  const installed = await findPostgresExporter();
  if (!installed) return [];
  const password = generatePassword();
  // It sees statistics and no rows.
  await withClient(servers[0]!.dsn(database), async (client) => {
    const known = await client.query('select from pg_roles where rolname = $1', [exporterRole]);
    await client.query(
      known.rowCount
        ? `alter role ${exporterRole} password '${password}'`
        : `create role ${exporterRole} login password '${password}' in role pg_monitor`,
    );
  });
  const exporters: ListeningPart[] = [];
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

/** A program that listens on a port which it is told. @throws Error with the end of its log. */
function startServer(name: string, common: Common, program: Program): Promise<ListeningPart> {
  const logFile = path.join(common.runDirectory, `${name}.log`);
  const start = async (port: number): Promise<Child> => {
    const child = await startChild({
      command: program.command,
      arguments: program.options(port),
      environment: { PATH: '/usr/local/bin:/usr/bin:/bin', TZ: 'UTC', ...program.environment },
      workingDirectory: common.directory,
      logFile,
      user: common.user,
    });
    const ready = () => isHttpReady(`http://127.0.0.1:${port}${program.readyPath}`);
    return untilReady(child, { name, logFile, timeoutMs: 20_000, ready, stopSteps, signal: common.signal });
  };
  return startListening({ name, portTaken: /address already in use/, start, stopSteps });
}

const stopSteps = terminateSteps(5_000);

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
