import { withClient } from '../../kernel/postgres/with-client.ts';
import { capabilities } from '../../kernel/topology.ts';
import { migrate } from '../../sql/migrate.ts';
import { startCitus } from './citus.ts';
import {
  type Database,
  type DatabaseOptions,
  databaseName,
  databaseUrls,
  enableServiceLogins,
  type Passwords,
} from './database.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { setSynchronousReplicas, startReplica } from './replica.ts';
import { hasFailoverSlots, holdReadersFor, synchronizeSlots } from './slots.ts';

/** A migrated database whose roles can log in: one primary and its streaming replicas, or a cluster. */
export async function startDatabase(options: DatabaseOptions): Promise<Database> {
  const { topology, synchronous = false } = options;
  const { replicas: possible, workers } = capabilities(topology);
  const replicaCount = options.replicas ?? (possible === 'required' || synchronous ? 1 : 0);
  if (replicaCount === 0 && (possible === 'required' || synchronous)) {
    throw new Error(`${synchronous ? 'Synchronous commits need' : `${topology} needs`} at least one replica.`);
  }
  if (replicaCount > 0 && possible === 'none') throw new Error(`${topology} has no replicas.`);
  if (workers > 0) return startCitus(options);

  const { primary, passwords } = await startPrimary(options);
  const replicas = await startReplicas(primary, replicaCount, options);
  if (synchronous) await setSynchronousReplicas(primary, namesOf(replicas));
  if (hasFailoverSlots(primary)) {
    // What is read through a slot goes on after a promotion. Where commits wait for replicas, so do the slot's readers.
    for (const replica of replicas) await synchronizeSlots(replica);
    if (synchronous) await holdReadersFor(primary, namesOf(replicas));
  }
  return { primary, replicas, workers: [], dsn: databaseUrls(primary, replicas, passwords) };
}

async function startPrimary(options: DatabaseOptions): Promise<{ primary: PostgresServer; passwords: Passwords }> {
  const { topology, runDirectory, settings = {}, postgres = 'embedded', progress, signal } = options;
  const { optionalExtension } = capabilities(topology);
  progress(`starting PostgreSQL (${postgres})`);
  const primary = await startPostgres({
    runDirectory,
    name: 'primary',
    settings,
    kind: postgres,
    preferExtension: optionalExtension ?? undefined,
    signal,
  });
  signal?.throwIfAborted();

  progress(`migrating to the ${topology} topology`);
  await withClient(primary.dsn(), (client) => client.query(`create database ${databaseName}`));
  const admin = primary.dsn(databaseName);
  await withClient(admin, (client) => client.query('create extension pg_stat_statements'));
  await migrate({ dsn: admin, topology, partitions: options.partitions });
  const passwords = await enableServiceLogins(admin);
  signal?.throwIfAborted();
  return { primary, passwords };
}

async function startReplicas(
  primary: PostgresServer,
  count: number,
  { runDirectory, progress, signal }: DatabaseOptions,
): Promise<PostgresServer[]> {
  const replicas: PostgresServer[] = [];
  for (let number = 1; number <= count; number += 1) {
    progress(`starting streaming replica ${number} of ${count}`);
    replicas.push(await startReplica({ primary, runDirectory, name: `replica_${number}`, signal }));
    signal?.throwIfAborted();
  }
  return replicas;
}

function namesOf(servers: readonly PostgresServer[]): string[] {
  return servers.map(({ name }) => name);
}
