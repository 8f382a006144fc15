import { processEnvironment } from '../../kernel/config/load.ts';
import type { TopologyName } from '../../kernel/topology.ts';
import type { SystemDescription } from '../native/system.ts';
import { UsageError } from '../output.ts';
import { assertDocker, type ComposeProject, compose, composeDown, environmentFile, smallFile } from './compose.ts';
import { listComposeSystems, rememberCompose } from './running.ts';
import { writeSecrets } from './secrets.ts';

export interface DockerOptions {
  topology: TopologyName;
  /** Commits wait for the replica. */
  synchronous?: boolean;
  cdc?: 'native' | 'debezium';
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
 * What `docker compose --profile <topology> up -d --wait` does, with the secrets made before. Says the command first, so
 * that it can be repeated without us.
 * @throws MissingPartError without Docker; UsageError when a system runs already; Error when a part does not become
 * healthy, and nothing is left then.
 */
export async function startCompose(options: DockerOptions): Promise<ComposeSystem> {
  const { topology, progress } = options;
  await assertDocker();
  const root = await rememberCompose();
  const environment = processEnvironment();
  const name = environment.COMPOSE_PROJECT_NAME || 'payments-lab';
  const running = (await listComposeSystems(root)).find(({ id }) => id === name);
  if (running) throw new UsageError(`${running.topology} runs already under compose. Stop it with: lab down ${name}`);

  const added = await writeSecrets(environmentFile);
  if (added.length > 0) progress(`made ${added.length} secrets in ${environmentFile}`);
  const project: ComposeProject = {
    name,
    environmentFiles: options.small ? [environmentFile, smallFile] : [environmentFile],
  };
  const commandLine = [
    ...['--profile', topology, ...(options.grafana ? ['--profile', 'grafana'] : [])],
    ...['up', '--detach', '--wait', '--build'],
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
    progress('removing what was started; docker compose logs would have said more: start again by hand to read them');
    await composeDown(project);
    throw error;
  }
}

function variablesOf(options: DockerOptions): Record<string, string> {
  return {
    ...(options.synchronous && { SYNCHRONOUS_STANDBY_NAMES: 'ANY 1 (replica_1)' }),
    ...(options.cdc === 'native' && { CDC_ENGINE: 'native' }),
    ...(options.apiPort !== undefined && { API_PORT: String(options.apiPort) }),
    ...(options.ingestPort !== undefined && { INGEST_PORT: String(options.ingestPort) }),
  };
}

/** As one would type it in the checkout. */
function asCommand(project: ComposeProject, variables: Record<string, string>, commandLine: string[]): string {
  const set = Object.entries(variables).map(([name, value]) => `${name}='${value}'`);
  const files = project.environmentFiles.length > 1 ? ['--env-file .env', '--env-file lab/docker/small.env'] : [];
  const named = project.name === 'payments-lab' ? [] : [`-p ${project.name}`];
  return [...set, 'docker compose', ...named, ...files, ...commandLine].join(' ');
}
