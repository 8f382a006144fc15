import { capabilities, type TopologyName } from '../../kernel/topology.ts';
import type { SystemDescription } from '../system-description.ts';
import { startCitus } from './citus.ts';
import { generateSecrets } from './credentials.ts';
import type { Database } from './database.ts';
import type { Part } from './part.ts';
import type { PostgresServer } from './postgres.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';
import { createRunDirectory, type RunDirectory, writeDescription } from './run-directory.ts';
import { stopServers } from './stop-servers.ts';
import { readStorage } from './storage.ts';
import type { SupervisorStep } from './supervisor-request.ts';
import type { SystemOptions } from './system-options.ts';
import { type SystemParts, startParts } from './system-parts.ts';

/** A child process that a drill may end and start again. */
export interface ChildProcessHandle {
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  restart(): Promise<void>;
}

export interface RunningSystem extends SystemDescription {
  /** As of now. */
  describe(): SystemDescription;
  /** Ends everything and removes the run's directory. */
  stop(): Promise<void>;
  api: ChildProcessHandle;
  /** The pipeline's processes, where the system has them. */
  ingest?: ChildProcessHandle;
  cdcProcess?: ChildProcessHandle;
  clickhouse?: ChildProcessHandle;
  broker?: ChildProcessHandle;
  connect?: ChildProcessHandle;
  pgbouncer?: ChildProcessHandle;
  readonly primary: PostgresServer;
  readonly replicas: readonly PostgresServer[];
  /** The servers with the shards, where the topology has them. */
  readonly workers: readonly PostgresServer[];
  /**
   * What a conversion needs, each step as often as it is asked for. `topology …` restarts the API after the database
   * was converted; as before when that fails.
   */
  convert(step: SupervisorStep): Promise<SystemDescription>;
}

/**
 * Starts PostgreSQL with its replicas, migrates it, starts the simulated provider and the API, and as asked for the
 * gateway with its broker and the way to ClickHouse.
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
  const { mode = 'sync', cdc = 'off', progress = () => {} } = options;
  let { topology } = options;
  const secrets = generateSecrets();
  const storage = await readStorage(run.path);
  if (storage.inMemory) progress(`${run.path} lies in memory: fsync costs nothing there. Set LAB_HOME to a disk.`);
  const parts = await startParts({ ...options, mode, cdc, progress, runDirectory: run.path, secrets });
  const { api, provider, ingest, broker, connect, clickhouse, cdcProcess, pgbouncer } = parts;
  let { database } = parts;
  /** During a conversion the cluster that is filled, after it the database that was left. */
  let beside: Database | undefined;
  let conversion: SystemDescription['conversion'];
  const servers = (): PostgresServer[] =>
    [database, ...(beside ? [beside] : [])].flatMap((one) => [one.primary, ...one.replicas, ...one.workers]);
  const prometheus = options.prometheus ? await startMonitoring(run.path, options, parts) : undefined;
  const startedAt = new Date().toISOString();
  const describe = (): SystemDescription => ({
    ...{ id: run.id, topology, mode, cdc, runDirectory: run.path, supervisorPid: process.pid, startedAt },
    urls: {
      ...{ api: api.url, provider: provider.url },
      ...(ingest && { ingest: ingest.url }),
      ...(clickhouse && { clickhouse: clickhouse.url }),
      ...(connect && { connect: connect.url }),
      ...(cdcProcess && { cdc: cdcProcess.url }),
      ...(prometheus && { prometheus: prometheus.url }),
    },
    dsn: database.dsn,
    ...(conversion && { conversion }),
    ...(pgbouncer && {
      pooler: {
        ...{ version: pgbouncer.version, dsn: pgbouncer.dsn('payments') },
        preparedStatements: pgbouncer.preparedStatements,
      },
    }),
    ...(broker && { kafka: { brokers: [broker.bootstrapServers] } }),
    secrets,
    postgres: { kind: database.primary.kind, version: database.primary.version },
    storage: { fileSystem: storage.fileSystem, inMemory: storage.inMemory },
    processes: [...servers(), ...parts.processes, ...(prometheus?.parts ?? [])].map(({ name, pid }) => ({ name, pid })),
  });
  await writeDescription(describe());
  const handle = (part: Part): ChildProcessHandle => ({
    get pid() {
      return part.pid;
    },
    kill: (wanted) => part.kill(wanted),
    restart: async () => {
      await part.restart();
      await writeDescription(describe());
    },
  });
  const restartApi = async (name: TopologyName, on: Database) => {
    parts.setTopology(name, on);
    await prometheus?.setTopology(name);
    await api.restart();
    [topology, database] = [name, on];
  };
  const switchTopology = async (wanted: TopologyName) => {
    if (wanted === topology) return;
    const [before, left] = [topology, database];
    const target = capabilities(wanted).shardKey ? beside : database;
    if (!target) throw new Error(`there is no cluster to run ${wanted} on`);
    await restartApi(wanted, target).catch(async (error) => {
      // Better the API as it was than none.
      await restartApi(before, left);
      throw error;
    });
    if (target !== left) beside = left;
  };
  const convert = async (step: SupervisorStep): Promise<void> => {
    switch (step) {
      case 'start cluster':
        if (conversion) return;
        beside = await startCitus({
          ...{ runDirectory: run.path, topology: 'citus', coordinatorName: 'coordinator', progress },
          ...(options.settings && { settings: options.settings }),
        });
        conversion = { source: database.dsn.admin, target: beside.dsn.admin };
        return;
      case 'discard cluster':
        if (!conversion || conversion.source !== database.dsn.admin || !beside) return;
        await stopServers([beside.primary, ...beside.workers]);
        [beside, conversion] = [undefined, undefined];
        return;
      case 'restart cdc':
        await cdcProcess?.restart();
        return;
      case 'end conversion':
        if (!conversion) return;
        await prometheus?.watch(watchedServers(database));
        conversion = undefined;
        return;
      default:
        await switchTopology(step.slice('topology '.length) as TopologyName);
    }
  };
  return {
    ...describe(),
    describe,
    get primary() {
      return database.primary;
    },
    get replicas() {
      return database.replicas;
    },
    get workers() {
      return database.workers;
    },
    api: handle(api),
    ...(ingest && { ingest: handle(ingest) }),
    ...(cdcProcess && { cdcProcess: handle(cdcProcess) }),
    ...(clickhouse && { clickhouse: handle(clickhouse) }),
    ...(broker && { broker: handle(broker) }),
    ...(connect && { connect: handle(connect) }),
    ...(pgbouncer && { pgbouncer: handle(pgbouncer) }),
    convert: async (step) => {
      // Also after a failure: the API has a new process then.
      await convert(step).finally(() => writeDescription(describe()));
      return describe();
    },
    stop: () =>
      stopInOrder({
        services: [...(prometheus?.parts ?? []), ingest, cdcProcess, api, provider],
        discarded: [connect, broker, clickhouse, pgbouncer],
        databases: servers().toReversed(),
        close: run.close,
      }),
  };
}

/** Once everything runs, since it has to know where. */
function startMonitoring(runDirectory: string, options: SystemOptions, parts: SystemParts): Promise<Prometheus> {
  const { api, ingest, cdcProcess, database } = parts;
  options.progress?.('starting Prometheus');
  return startPrometheus({
    ...{ runDirectory, topology: options.topology, signal: options.signal, database: 'payments' },
    services: { api: api.url, ...(ingest && { ingest: ingest.url }), ...(cdcProcess && { cdc: cdcProcess.url }) },
    servers: watchedServers(database),
  });
}

/** A cluster's slots and rows are on its workers. */
function watchedServers({ primary, replicas, workers }: Database): PostgresServer[] {
  return [primary, ...replicas, ...workers];
}

interface StopOrder {
  services: (Part | undefined)[];
  /** Servers whose data is removed next. */
  discarded: (Part | undefined)[];
  databases: PostgresServer[];
  close(): Promise<void>;
}

/** Services first, so that none logs errors about a database or a broker that is on its way out. */
async function stopInOrder({ services, discarded, databases, close }: StopOrder): Promise<void> {
  try {
    await Promise.all(services.map((part) => part?.stop()));
    // There is nothing to write a checkpoint for, and a broker would take seconds to hand over to nobody.
    for (const part of discarded) part?.kill('SIGKILL');
    await Promise.all([...discarded.map((part) => part?.stop()), ...databases.map((one) => one.stop('immediate'))]);
  } finally {
    await close();
  }
}
