import { migrate } from '../../sql/migrate.ts';
import { type ClusterNode, clusterSettings, setUpCluster, trustLogins } from '../citus-cluster.ts';
import { enableLogins, generatePassword } from './credentials.ts';
import type { Database, DatabaseOptions } from './database.ts';
import { listInstalled } from './installed.ts';
import { MissingPartError } from './missing-part.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { stopServers } from './stop-servers.ts';

const databaseName = 'payments';
const workerCount = 2;

/**
 * Few, because each daily partition of each table is that many tables more, and a laptop has to make them all at the
 * start. Enough to spread over a few workers evenly, and to move one at a time.
 */
const shardCount = 8;

export const citusRemedy =
  'install Citus 13 for PostgreSQL 15–17, or 14 for 16–18, from https://github.com/citusdata/citus (packages or source)';

/** What `lab doctor` and `lab up` say when no installed PostgreSQL has the extension; undefined when one does. */
export async function missingCitus(): Promise<string | undefined> {
  const installed = await listInstalled();
  return installed.some(({ extensions }) => extensions.includes('citus'))
    ? undefined
    : 'an installed PostgreSQL with the citus extension';
}

/**
 * A coordinator and two workers on an installed PostgreSQL that has Citus, migrated and spread out.
 * @param options.coordinatorName Names its directory in the run; `primary` unless the run has one already.
 * @throws MissingPartError when no installed server has it; Error when one does not start, once none is left.
 */
export async function startCitus(options: DatabaseOptions & { coordinatorName?: string }): Promise<Database> {
  const { runDirectory, settings = {}, progress, coordinatorName = 'primary' } = options;
  const missing = await missingCitus();
  if (missing) throw new MissingPartError(missing, citusRemedy);
  progress(`starting a Citus coordinator and ${workerCount} workers (installed PostgreSQL)`);
  const superuserPassword = generatePassword();
  const names = [coordinatorName, ...Array.from({ length: workerCount }, (_, index) => `worker_${index + 1}`)];
  const started = await Promise.allSettled(
    names.map((name) =>
      startPostgres({
        ...{ runDirectory, name, superuserPassword, kind: 'installed', preferExtension: 'citus' },
        settings: { ...clusterSettings, ...nativeSettings, ...settings },
      }),
    ),
  );
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

async function makeCluster(
  [primary, ...workers]: [PostgresServer, ...PostgresServer[]],
  { topology, progress, signal }: DatabaseOptions,
): Promise<Database> {
  signal?.throwIfAborted();

  const cluster = { coordinator: nodeOf(primary), workers: workers.map(nodeOf), database: databaseName };
  await setUpCluster({ ...cluster, shardCount });
  progress(`migrating to the ${topology} topology (${shardCount} shards)`);
  const admin = primary.dsn(databaseName);
  await migrate({ dsn: admin, topology });
  const passwords = await enableLogins(admin, ['lab_api', 'lab_reader', 'lab_cdc']);
  await trustLogins(cluster, passwords);
  signal?.throwIfAborted();
  return {
    primary,
    replicas: [],
    workers,
    dsn: {
      admin,
      api: primary.dsn(databaseName, 'lab_api', passwords.lab_api),
      reader: primary.dsn(databaseName, 'lab_reader', passwords.lab_reader),
      cdc: primary.dsn(databaseName, 'lab_cdc', passwords.lab_cdc),
      replicas: [],
    },
  };
}

/** Three servers where the other topologies have one: together they get about the same memory. */
const nativeSettings = { shared_buffers: '96MB', max_wal_size: '1GB' };

function nodeOf(server: PostgresServer): ClusterNode {
  return { adminDsn: server.dsn(), host: server.host, port: server.port };
}
