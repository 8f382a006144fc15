import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { isTopologyName, type TopologyName } from '../../kernel/topology.ts';
import { runsRoot } from '../native/runs-root.ts';
import type { SystemDescription } from '../system-description.ts';
import { type ComposeProject, docker } from './compose.ts';
import { parseEnvironment } from './secrets.ts';

/** One container of a system, as `docker ps` and `docker inspect` know it. */
export interface Container {
  id: string;
  service: string;
  pid: number;
  running: boolean;
  /** `none` for a container without a health check. */
  health: string;
  exitCode: number;
  /** Of the program in the container; null when it isn't published. */
  hostPorts: Record<string, number>;
  environment: Record<string, string>;
  labels: Record<string, string>;
  startedAt: string;
  volumes: string[];
}

/**
 * Directory of a compose system's records below the runs' root. Its existence also says that there may be one, so that
 * other commands do not wait for Docker.
 */
function composeRoot(root: string): string {
  return path.join(root, 'compose');
}

/** Makes that directory. @returns the runs' root. */
export async function rememberCompose(): Promise<string> {
  const root = await runsRoot();
  await mkdir(composeRoot(root), { recursive: true, mode: 0o700 });
  return root;
}

/**
 * The systems that run under compose, started by `lab up --runtime docker` or by hand: found by the label of their
 * database. Empty without Docker.
 */
export async function listComposeSystems(root: string): Promise<SystemDescription[]> {
  const listed = await docker(['ps', '-q', '--filter', 'label=lab.topology'], 5_000).catch(() => '');
  const databases = await inspect(listed.split('\n').filter(Boolean));
  const systems: SystemDescription[] = [];
  for (const { labels, startedAt } of databases) {
    const topology = labels['lab.topology'] ?? '';
    const name = labels['com.docker.compose.project'] ?? '';
    if (!isTopologyName(topology) || name === '') continue;
    // Others of this machine may run systems whose secrets we can't read.
    const system = await describe({ name, environmentFiles: filesOf(labels) }, topology, { root, startedAt }).catch(
      () => undefined,
    );
    if (system) systems.push(system);
  }
  return systems;
}

/** The containers of a project, ended ones included. */
export async function containersOf(project: string): Promise<Container[]> {
  const listed = await docker(['ps', '-aq', '--filter', `label=com.docker.compose.project=${project}`]);
  return inspect(listed.split('\n').filter(Boolean));
}

/** A container whose end is part of the plan: migration, topics. */
export function hasDoneItsWork({ running, exitCode, service }: Container): boolean {
  return !running && exitCode === 0 && (service === 'migrate' || service === 'topics');
}

async function describe(
  project: ComposeProject,
  topology: TopologyName,
  { root, startedAt }: { root: string; startedAt: string },
): Promise<SystemDescription> {
  const containers = await containersOf(project.name);
  const texts = await Promise.all(project.environmentFiles.map((file) => readFile(file, 'utf8')));
  const secrets = Object.assign({}, ...texts.map(parseEnvironment)) as Record<string, string>;
  const service = (name: string) => containers.find((container) => container.service === name);
  const port = (name: string, inside: number) => service(name)?.hostPorts[inside] ?? 0;
  if (!service('api')) throw new Error(`${project.name} is a database without services.`);
  const database = containers.find(({ labels }) => labels['lab.topology'] !== undefined)!;
  const dsn = (user: string, password: string | undefined, at: number) =>
    `postgresql://${user}:${password ?? ''}@127.0.0.1:${at}/payments`;
  const primary = database.hostPorts[5432] ?? 0;
  const replica = port('postgres-replica', 5432);
  // A proxy in front of servers has no data; theirs is equally old.
  const volumes = database.volumes.length > 0 ? database.volumes : service('db-1')!.volumes;
  const runDirectory = await makeRecordsDirectory(root, project.name, volumes);
  const cdc = service('cdc') ?? service('cdc-workers');
  const native = cdc?.environment.CDC_ENGINE === 'native';
  return {
    id: project.name,
    topology,
    mode: 'kafka',
    cdc: native ? 'native' : 'debezium',
    runDirectory,
    supervisorPid: 0,
    startedAt,
    urls: {
      api: `http://127.0.0.1:${port('api', 3000)}`,
      provider: `http://127.0.0.1:${port('provider', 3100)}`,
      ingest: `http://127.0.0.1:${port('ingest', 3001)}`,
      cdc: `http://127.0.0.1:${cdc?.hostPorts[3002] ?? 0}`,
      ...(service('connect') && { connect: `http://127.0.0.1:${port('connect', 8083)}` }),
      clickhouse: `http://lab:${secrets.CLICKHOUSE_PASSWORD}@127.0.0.1:${port('clickhouse', 8123)}/lab`,
    },
    dsn: {
      admin: dsn('postgres', secrets.POSTGRES_PASSWORD, primary),
      api: dsn('lab_api', secrets.LAB_API_PASSWORD, primary),
      reader: dsn('lab_reader', secrets.LAB_READER_PASSWORD, primary),
      cdc: dsn('lab_cdc', secrets.LAB_CDC_PASSWORD, primary),
      replicas: replica === 0 ? [] : [dsn('lab_reader', secrets.LAB_READER_PASSWORD, replica)],
    },
    kafka: { brokers: [`127.0.0.1:${port('kafka', 29092)}`] },
    secrets: {
      silvergate: firstOf(secrets.WEBHOOK_SECRETS_SILVERGATE),
      stripe: firstOf(secrets.WEBHOOK_SECRETS_STRIPE),
      adyen: firstOf(secrets.WEBHOOK_SECRETS_ADYEN),
      accessTokens: firstOf(secrets.ACCESS_TOKEN_SECRETS),
    },
    // The image has an installed server, in the lab's words: not the one of the embedded package.
    postgres: { kind: 'installed', version: '18' },
    storage: { fileSystem: 'docker volume', inMemory: false },
    processes: containers
      .filter((container) => !hasDoneItsWork(container))
      .map(({ service: name, pid }) => ({ name, pid, state: 'running', restarts: 0 })),
    compose: { ...project, environmentFiles: [...project.environmentFiles] },
  };
}

/**
 * Of the data and not of the project: records of data that was removed would be missed in the next system's audit.
 */
async function makeRecordsDirectory(root: string, project: string, volumes: readonly string[]): Promise<string> {
  const made = await docker(['volume', 'inspect', '--format', '{{.CreatedAt}}', ...volumes]);
  const directory = path.join(composeRoot(root), `${project}-${made.replace(/\D/g, '').slice(0, 14)}`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return directory;
}

/** During a rotation two are active; the newer one comes first. */
function firstOf(secrets: string | undefined): string {
  return secrets?.split(',')[0]?.trim() ?? '';
}

/** What compose was told by --env-file, else the .env beside the compose file. */
function filesOf(labels: Record<string, string>): string[] {
  const named = labels['com.docker.compose.project.environment_file'];
  if (named) return named.split(',');
  return [path.join(labels['com.docker.compose.project.working_dir'] ?? '.', '.env')];
}

interface Inspected {
  Id: string;
  State: { Pid: number; Running: boolean; ExitCode: number; StartedAt: string; Health?: { Status: string } };
  Config: { Labels: Record<string, string>; Env: string[] };
  Mounts: { Type: string; Name?: string }[];
  NetworkSettings: { Ports: Record<string, { HostPort: string }[] | null> };
}

async function inspect(ids: readonly string[]): Promise<Container[]> {
  if (ids.length === 0) return [];
  const inspected = JSON.parse(await docker(['inspect', ...ids])) as Inspected[];
  return inspected.map(({ Id, State, Config, Mounts, NetworkSettings }) => ({
    id: Id,
    service: Config.Labels['com.docker.compose.service'] ?? '',
    pid: State.Pid,
    running: State.Running,
    health: State.Health?.Status ?? 'none',
    exitCode: State.ExitCode,
    hostPorts: Object.fromEntries(
      Object.entries(NetworkSettings.Ports).flatMap(([port, bindings]) =>
        bindings?.[0] ? [[Number.parseInt(port, 10), Number(bindings[0].HostPort)]] : [],
      ),
    ),
    environment: parseEnvironment(Config.Env.join('\n')),
    labels: Config.Labels,
    startedAt: State.StartedAt,
    volumes: Mounts.flatMap(({ Type, Name }) => (Type === 'volume' && Name ? [Name] : [])),
  }));
}
