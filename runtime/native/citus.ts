import { capabilities, shardingExtension } from '../../kernel/topology.ts';
import { migrate } from '../../sql/migrate.ts';
import { type ClusterNode, clusterSettings, setUpCluster, trustLogins } from '../citus-cluster.ts';
import { generatePassword } from './credentials.ts';
import { type Database, type DatabaseOptions, databaseName, databaseUrls, enableServiceLogins } from './database.ts';
import { citusRemedy, missingCitus } from './missing-citus.ts';
import { MissingPartError } from './missing-part.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { stopServers } from './stop-servers.ts';

/**
 * Few, because each daily partition of each table is that many tables more, and a laptop has to make them all at the
 * start. Enough to spread over a few workers evenly, and to move one at a time.
 */
const shardCount = 8;

/**
 * A coordinator and its workers on an installed PostgreSQL that has Citus, migrated and spread out.
 * @param options.coordinatorName Names its directory in the run; `primary` unless the run has one already.
 * @throws MissingPartError when no installed server has it; Error when one does not start, once none is left.
 */
export async function startCitus(options: DatabaseOptions & { coordinatorName?: string }): Promise<Database> {
  const { topology, progress, coordinatorName = 'primary' } = options;
  const missing = await missingCitus();
  if (missing) throw new MissingPartError(missing, citusRemedy);
  const { workers } = capabilities(topology);
  progress(`starting a Citus coordinator and ${workers} workers (installed PostgreSQL)`);
  const names = [coordinatorName, ...Array.from({ length: workers }, (_, index) => `worker_${index + 1}`)];
  const started = await startNodes(names, options);
  const servers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  try {
    const failed = started.find((one) => one.status === 'rejected');
    if (failed) throw failed.reason;
    return await makeCluster(servers as [PostgresServer, ...PostgresServer[]], options);
  } catch (error) {
    await stopServers(servers);
    throw error;
  }
}

function startNodes(names: readonly string[], { runDirectory, settings, signal }: DatabaseOptions) {
  const superuserPassword = generatePassword();
  const start = (name: string) =>
    startPostgres({
      runDirectory,
      name,
      superuserPassword,
      kind: 'installed',
      preferExtension: shardingExtension,
      settings: { ...clusterSettings, ...nativeSettings, ...settings },
      signal,
    });
  return Promise.allSettled(names.map(start));
}

async function makeCluster(
  [primary, ...workers]: [PostgresServer, ...PostgresServer[]],
  { topology, partitions, progress, signal }: DatabaseOptions,
): Promise<Database> {
  signal?.throwIfAborted();

  const cluster = { coordinator: nodeOf(primary), workers: workers.map(nodeOf), database: databaseName };
  await setUpCluster({ ...cluster, shardCount });
  progress(`migrating to the ${topology} topology (${shardCount} shards)`);
  const admin = primary.dsn(databaseName);
  await migrate({ dsn: admin, topology, partitions });
  const passwords = await enableServiceLogins(admin);
  await trustLogins(cluster, passwords);
  signal?.throwIfAborted();
  return { primary, replicas: [], workers, dsn: databaseUrls(primary, [], passwords) };
}

/** Three servers where the other topologies have one: together they get about the same memory. */
const nativeSettings = { shared_buffers: '96MB', max_wal_size: '1GB' };

function nodeOf(server: PostgresServer): ClusterNode {
  return { adminDsn: server.dsn(), host: server.host, port: server.port };
}
