import { pause } from '../../kernel/wait.ts';
import type { SystemDescription } from '../system-description.ts';
import { generateSecrets } from './credentials.ts';
import { databaseName } from './database.ts';
import { Deployment, serversOf } from './deployment.ts';
import type { Part } from './part.ts';
import type { PostgresServer } from './postgres.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';
import { createRunDirectory, type RunDirectory } from './run-directory.ts';
import { readStorage } from './storage.ts';
import { createRequestHandler } from './supervisor-handler.ts';
import type { SupervisorRequest } from './supervisor-request.ts';
import { serveRequests } from './supervisor-server.ts';
import { PartWatch } from './supervisor-watch.ts';
import type { SystemOptions } from './system-options.ts';
import { type SystemParts, startParts } from './system-parts.ts';
import { describe, descriptionWriter, listAll, type SystemState } from './system-state.ts';

export interface RunningSystem extends SystemDescription {
  /** As of now. */
  describe(): SystemDescription;
  /** Ends everything and removes the run's directory. */
  stop(): Promise<void>;
  api: Part;
  payments: Part;
  /** The pipeline's processes, where the system has them. */
  ingest: Part | undefined;
  cdcProcess: Part | undefined;
  clickhouse: Part | undefined;
  broker: Part | undefined;
  connect: Part | undefined;
  pgbouncer: Part | undefined;
  readonly primary: PostgresServer;
  readonly replicas: readonly PostgresServer[];
  /** The servers with the shards, where the topology has them. */
  readonly workers: readonly PostgresServer[];
  /**
   * Does what clients may ask of the process that supervises a run; `switch_topology` restarts the API after the
   * database was converted, and as before when that fails. @returns the system as it is now.
   */
  handle(request: SupervisorRequest): Promise<SystemDescription>;
}

/**
 * Starts PostgreSQL with its replicas, migrates it, starts the simulated provider and the API, and as asked for the
 * gateway with its broker and the way to ClickHouse. From then on clients can ask for more over the run's socket.
 * @throws MissingPartError when this machine lacks a part of the system; Error, with the end of the log of what
 * failed, when a part does not start. Nothing is left running then.
 */
export async function startSystem(options: SystemOptions): Promise<RunningSystem> {
  const run = await createRunDirectory();
  try {
    return await startIn(run, options);
  } catch (error) {
    await run.close();
    throw error;
  }
}

async function startIn(run: RunDirectory, options: SystemOptions): Promise<RunningSystem> {
  const { progress = () => {} } = options;
  const ending = new AbortController();
  const signal = AbortSignal.any([ending.signal, ...(options.signal ? [options.signal] : [])]);
  const { state, write } = await startState(run, { ...options, progress, signal });
  const answers = createRequestHandler({ ...options, progress, runDirectory: run.path, state });
  const handle = async (request: SupervisorRequest): Promise<SystemDescription> => {
    // Also after a failure: a part has a new process then.
    await answers(request).finally(write);
    return describe(state);
  };
  const requests = await serveRequests(run.path, async (request) => {
    await handle(request).catch((error) => {
      progress(error instanceof Error ? error.message : String(error));
      throw error;
    });
  });
  await write();
  const stop = async () => {
    state.watch.close();
    ending.abort(new Error('the system is stopped'));
    await requests.close();
    await stopInOrder(run, state);
  };
  return runningSystem(state, { handle, stop, write });
}

/** Starts every part, and watches them from then on. `write` writes the system down as it is. */
async function startState(
  run: RunDirectory,
  options: SystemOptions & { progress: (line: string) => void; signal: AbortSignal },
): Promise<{ state: SystemState; write: () => Promise<void> }> {
  const { mode = 'sync', cdc = 'off', progress } = options;
  const deployment = new Deployment(options.topology);
  const secrets = generateSecrets();
  const { fileSystem, inMemory } = await readStorage(run.path);
  if (inMemory) progress(`${run.path} lies in memory: fsync costs nothing there. Set LAB_HOME to a disk.`);
  const runDirectory = run.path;
  const parts = await startParts({ ...options, mode, cdc, runDirectory, secrets, deployment });
  const prometheus = options.prometheus ? await startMonitoring(runDirectory, options, deployment, parts) : undefined;
  const watch = new PartWatch({
    runDirectory,
    parts: () => listAll(state),
    restarts: options.restarts ?? false,
    onChange: () => write(),
    progress,
    clock: () => performance.now(),
    pause,
  });
  const state: SystemState = {
    fixed: {
      id: run.id,
      mode,
      cdc,
      runDirectory,
      supervisorPid: process.pid,
      startedAt: new Date().toISOString(),
      secrets,
      storage: { fileSystem, inMemory },
    },
    deployment,
    parts,
    prometheus,
    watch,
  };
  const write = descriptionWriter(state);
  return { state, write };
}

function runningSystem(
  state: SystemState,
  calls: Pick<RunningSystem, 'handle' | 'stop'> & { write: () => Promise<void> },
): RunningSystem {
  const { deployment, parts } = state;
  const { handle, stop, write } = calls;
  const described = (part: Part) => describedPart(part, write);
  const optional = (part: Part | undefined) => part && described(part);
  return {
    ...describe(state),
    handle,
    stop,
    describe: () => describe(state),
    get primary() {
      return deployment.database.primary;
    },
    get replicas() {
      return deployment.database.replicas;
    },
    get workers() {
      return deployment.database.workers;
    },
    api: described(parts.api),
    payments: described(parts.payments),
    ingest: optional(parts.ingest),
    cdcProcess: optional(parts.cdcProcess),
    clickhouse: optional(parts.clickhouse),
    broker: optional(parts.broker),
    connect: optional(parts.connect),
    pgbouncer: optional(parts.pgbouncer),
  };
}

/** A part whose new process is written down after a restart. */
function describedPart(part: Part, write: () => Promise<void>): Part {
  return {
    name: part.name,
    finalEnd: part.finalEnd,
    get pid() {
      return part.pid;
    },
    get unexpectedEnd() {
      return part.unexpectedEnd;
    },
    get writesAtItsEnd() {
      return part.writesAtItsEnd;
    },
    get isStopped() {
      return part.isStopped;
    },
    kill: (signal) => part.kill(signal),
    stop: () => part.stop(),
    restart: async () => {
      await part.restart();
      await write();
    },
  };
}

/** Once everything runs, since it has to know where. */
function startMonitoring(
  runDirectory: string,
  { progress, signal }: SystemOptions,
  { topology, database }: Deployment,
  { api, payments, ingest, cdcProcess, notifications }: SystemParts,
): Promise<Prometheus> {
  progress?.('starting Prometheus');
  return startPrometheus({
    runDirectory,
    topology,
    signal,
    database: databaseName,
    services: {
      api: api.url,
      payments: payments.url,
      ...(ingest && { ingest: ingest.url }),
      ...(cdcProcess && { cdc: cdcProcess.url }),
      ...(notifications && { notifications: notifications.url }),
    },
    servers: serversOf(database),
  });
}

/** Services first, so that none logs errors about a database or a broker that is on its way out. */
async function stopInOrder(run: RunDirectory, { deployment, parts, prometheus }: SystemState): Promise<void> {
  const { api, provider, payments, ingest, cdcProcess, connect, broker, clickhouse, pgbouncer } = parts;
  const { notifications, inbox } = parts;
  const outside = [ingest, cdcProcess, notifications, inbox];
  const services = [...(prometheus?.parts ?? []), ...outside, payments, api, provider];
  /** Servers whose data is removed next. */
  const discarded = [connect, broker, clickhouse, pgbouncer];
  try {
    await Promise.all(services.map((part) => part?.stop()));
    // There is nothing to write a checkpoint for, and a broker would take seconds to hand over to no other.
    for (const part of discarded) if (!part?.writesAtItsEnd) part?.kill('SIGKILL');
    const databases = deployment.servers.map((server) => server.stop('immediate'));
    // Connect ends in order only while its broker runs.
    await connect?.stop();
    await Promise.all([...discarded.map((part) => part?.stop()), ...databases]);
  } finally {
    await run.close();
  }
}
