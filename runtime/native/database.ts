import { withClient } from '../../kernel/postgres/with-client.ts';
import { capabilities, type TopologyName } from '../../kernel/topology.ts';
import { migrate } from '../../sql/migrate.ts';
import { startCitus } from './citus.ts';
import { enableLogins } from './credentials.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { setSynchronousReplicas, startReplica } from './replica.ts';
import { hasFailoverSlots, holdReadersFor, synchronizeSlots } from './slots.ts';

export interface DatabaseOptions {
  topology: TopologyName;
  runDirectory: string;
  replicas?: number;
  synchronous?: boolean;
  postgres?: 'embedded' | 'installed';
  settings?: Record<string, string>;
  progress(line: string): void;
  signal?: AbortSignal;
}

export interface Database {
  primary: PostgresServer;
  replicas: PostgresServer[];
  /** The servers that hold the shards, where the topology has them; `primary` is their coordinator then. */
  workers: PostgresServer[];
  /** `admin` is the superuser, `api` and `reader` the roles of these names; `cdc` may replicate; `replicas` is the reader on each. */
  dsn: { admin: string; api: string; reader: string; cdc: string; replicas: string[] };
}

const databaseName = 'payments';

/** A migrated primary whose roles can log in, and its streaming replicas. */
export async function startDatabase(options: DatabaseOptions): Promise<Database> {
  const { topology, runDirectory, settings = {}, progress, signal } = options;
  const { readsFromReplica, partitionedTables, shardKey } = capabilities(topology);
  const replicaCount = options.replicas ?? (readsFromReplica || options.synchronous ? 1 : 0);
  if (replicaCount === 0 && (readsFromReplica || options.synchronous)) {
    throw new Error(`${options.synchronous ? 'Synchronous commits need' : `${topology} needs`} at least one replica.`);
  }
  if (shardKey) {
    if (replicaCount > 0) throw new Error(`${topology} has no replicas.`);
    return startCitus(options);
  }
  progress(`starting PostgreSQL (${options.postgres ?? 'embedded'})`);
  const primary = await startPostgres({
    runDirectory,
    name: 'primary',
    settings,
    kind: options.postgres ?? 'embedded',
    ...(partitionedTables.length > 0 && { preferExtension: 'pg_partman' }),
  });
  signal?.throwIfAborted();

  progress(`migrating to the ${topology} topology`);
  await withClient(primary.dsn(), (client) => client.query(`create database ${databaseName}`));
  const admin = primary.dsn(databaseName);
  await withClient(admin, (client) => client.query('create extension pg_stat_statements'));
  await migrate({ dsn: admin, topology });
  const passwords = await enableLogins(admin, ['lab_api', 'lab_reader', 'lab_cdc']);
  signal?.throwIfAborted();

  const replicas: PostgresServer[] = [];
  for (let number = 1; number <= replicaCount; number += 1) {
    progress(`starting streaming replica ${number} of ${replicaCount}`);
    replicas.push(await startReplica({ primary, runDirectory, name: `replica_${number}` }));
    signal?.throwIfAborted();
  }
  const names = replicas.map(({ name }) => name);
  if (options.synchronous) await setSynchronousReplicas(primary, names);
  if (hasFailoverSlots(primary)) {
    // What is read through a slot goes on after a promotion. Where commits wait for replicas, so do the slot's readers.
    for (const replica of replicas) await synchronizeSlots(replica);
    if (options.synchronous) await holdReadersFor(primary, names);
  }
  const reader = (server: PostgresServer) => server.dsn(databaseName, 'lab_reader', passwords.lab_reader);
  return {
    primary,
    replicas,
    workers: [],
    dsn: {
      admin,
      api: primary.dsn(databaseName, 'lab_api', passwords.lab_api),
      reader: reader(primary),
      cdc: primary.dsn(databaseName, 'lab_cdc', passwords.lab_cdc),
      replicas: replicas.map(reader),
    },
  };
}
