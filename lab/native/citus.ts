import { type ClusterNode, clusterSettings, setUpCluster, trustLogins } from '../../citus/setup.ts';
import { migrate } from '../../sql/migrate.ts';
import { enableLogins, generatePassword } from './credentials.ts';
import type { Database, DatabaseOptions } from './database.ts';
import { listInstalled } from './installed.ts';
import { MissingPartError } from './missing-part.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';

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
 * @throws MissingPartError when no installed server has it.
 */
export async function startCitus(options: DatabaseOptions): Promise<Database> {
  const { runDirectory, settings = {}, topology, progress, signal } = options;
  const missing = await missingCitus();
  if (missing) throw new MissingPartError(missing, citusRemedy);
  progress(`starting a Citus coordinator and ${workerCount} workers (installed PostgreSQL)`);
  const superuserPassword = generatePassword();
  const names = ['primary', ...Array.from({ length: workerCount }, (_, index) => `worker_${index + 1}`)];
  const servers = await Promise.all(
    names.map((name) =>
      startPostgres({
        ...{ runDirectory, name, superuserPassword, kind: 'installed', preferExtension: 'citus' },
        settings: { ...clusterSettings, ...nativeSettings, ...settings },
      }),
    ),
  );
  const [primary, ...workers] = servers as [PostgresServer, ...PostgresServer[]];
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
