import path from 'node:path';
import { type Environment, processEnvironment } from '../../kernel/config/environment.ts';
import { capabilities, type PartitionInterval, type TopologyName } from '../../kernel/topology.ts';
import type { SystemDescription } from '../system-description.ts';
import { UsageError } from '../usage-error.ts';
import {
  assertDocker,
  type ComposeProject,
  compose,
  composeDown,
  docker,
  dockerLogs,
  environmentFile,
  haFile,
  projectDirectory,
  smallFile,
} from './compose.ts';
import { containersOf, hasDoneItsWork, listComposeSystems, rememberCompose } from './running.ts';
import { writeSecrets } from './secrets.ts';

export interface DockerOptions {
  topology: TopologyName;
  /** Commits wait for the replica. */
  synchronous?: boolean;
  /** Three servers that are promoted by themselves, in place of a primary and its replica. */
  ha?: boolean;
  cdc?: 'native' | 'debezium';
  /** How long partitions are; a day unless told otherwise. */
  partitions?: PartitionInterval;
  /** Limits for a machine with 4 GB. */
  small?: boolean;
  grafana?: boolean;
  apiPort?: number;
  ingestPort?: number;
  progress(line: string): void;
  signal?: AbortSignal;
}

/** A system under compose that we started. */
export interface ComposeSystem {
  description: SystemDescription;
  /** Removes its containers, networks and data. */
  stop(): Promise<void>;
}

/**
 * What `docker compose --profile <topology> up -d --wait` does, with the secrets made before. Says the command first,
 * so that it can be repeated without us.
 * @throws MissingPartError without Docker; UsageError when a system runs already; Error when a part does not become
 * healthy, and nothing is left then but data that was there before.
 */
export async function startCompose(options: DockerOptions): Promise<ComposeSystem> {
  const { topology, progress } = options;
  await assertDocker();
  const root = await rememberCompose();
  const environment = processEnvironment();
  const name = environment.COMPOSE_PROJECT_NAME || 'payments-lab';
  const running = (await listComposeSystems(root)).find(({ id }) => id === name);
  if (running) throw new UsageError(`${running.topology} runs already under compose. Stop it with: lab down ${name}`);

  const files = environmentFilesOf(environment);
  const added = await writeSecrets(files[0]);
  if (added.length > 0) progress(`made ${added.length} secrets in ${files[0]}`);
  const project: ComposeProject = {
    name,
    environmentFiles: [...files, ...(options.ha ? [haFile] : []), ...(options.small ? [smallFile] : [])],
  };
  // Of a system that was stopped with `docker compose down`.
  const volumes = await docker(['volume', 'ls', '-q', '--filter', `label=com.docker.compose.project=${name}`]);
  const keepData = volumes.trim() !== '';
  const profile = options.ha ? (capabilities(topology).composeFailoverProfile ?? topology) : topology;
  const commandLine = [
    '--profile',
    profile,
    ...(options.grafana ? ['--profile', 'grafana'] : []),
    'up',
    '--detach',
    '--wait',
    '--build',
  ];
  const variables = variablesOf(options);
  progress(`$ ${asCommand(project, variables, commandLine)}`);
  try {
    await compose(project, commandLine, {
      environment: { ...environment, ...variables },
      ...(options.signal && { signal: options.signal }),
    });
    const description = (await listComposeSystems(root)).find(({ id }) => id === name);
    if (!description) throw new Error(`The containers of ${name} run, but their database is not found.`);
    return { description, stop: () => composeDown(project) };
  } catch (error) {
    // What ended or never became healthy has said why, and its words are gone with the container.
    if (!options.signal?.aborted) await showLogs(name, progress).catch(() => {});
    progress(`removing what was started${keepData ? ', but not the data, which was there before' : ''}`);
    await composeDown(project, { keepData });
    throw error;
  }
}

/** Those that compose itself would read; the first of them holds the secrets. */
function environmentFilesOf({ COMPOSE_ENV_FILES }: Environment): [string, ...string[]] {
  const [first = environmentFile, ...others] = (COMPOSE_ENV_FILES ?? '').split(',').filter(Boolean);
  return [path.resolve(first), ...others.map((file) => path.resolve(file))];
}

function variablesOf(options: DockerOptions): Record<string, string> {
  return {
    ...(options.synchronous && { SYNCHRONOUS_STANDBY_NAMES: 'ANY 1 (replica_1)' }),
    // Said in any case: the environment or a file of variables may name the other one.
    ...(options.cdc && { CDC_ENGINE: options.cdc === 'native' ? 'native' : 'kafka' }),
    ...(options.partitions && { PARTITIONS: options.partitions }),
    ...(options.apiPort !== undefined && { API_PORT: String(options.apiPort) }),
    ...(options.ingestPort !== undefined && { INGEST_PORT: String(options.ingestPort) }),
  };
}

/** The last lines of every container that is not as it should be. */
async function showLogs(project: string, progress: (line: string) => void): Promise<void> {
  const wrong = (await containersOf(project)).filter(
    (container) => !hasDoneItsWork(container) && (!container.running || container.health === 'unhealthy'),
  );
  for (const { id, service } of wrong) {
    const lines = (await dockerLogs(id, 15)).split('\n').filter(Boolean);
    for (const line of lines) progress(`${service}: ${line}`);
  }
}

/** As one would type it in the checkout. */
function asCommand(project: ComposeProject, variables: Record<string, string>, commandLine: string[]): string {
  const set = Object.entries(variables).map(([name, value]) => `${name}='${value}'`);
  // Compose reads the .env of the checkout by itself, as long as no file is named.
  const [first, ...others] = project.environmentFiles;
  const byItself = first === environmentFile && others.length === 0;
  const files = byItself ? [] : project.environmentFiles.map((file) => `--env-file ${asPath(file)}`);
  const named = project.name === 'payments-lab' ? [] : [`-p ${project.name}`];
  return [...set, 'docker compose', ...named, ...files, ...commandLine].join(' ');
}

/** Relative to the checkout, where the command is typed, if it lies in there. */
function asPath(file: string): string {
  const relative = path.relative(projectDirectory, file);
  return relative.startsWith('..') ? file : relative;
}
