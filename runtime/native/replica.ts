import { randomBytes } from 'node:crypto';
import { appendFile, chown, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Client } from 'pg';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { waitUntil } from '../../kernel/wait.ts';
import { copyCluster } from './copy-cluster.ts';
import { makeDataDirectory, type PostgresServer, runServer } from './postgres.ts';
import { findServerUser, type ServerUser } from './server-user.ts';

export interface ReplicaOptions {
  primary: PostgresServer;
  runDirectory: string;
  /** Unique in the run, as in `replica_1`: also the name of its slot and the name it reports to the primary. */
  name: string;
  /** A port that must be used, as for a former primary that comes back in its place. */
  port?: number;
  settings?: Record<string, string>;
  /** Ends a start that is under way, also that of a restart. */
  signal?: AbortSignal | undefined;
}

/**
 * A streaming replica that answers reads, made from a copy of the running primary (no pg_basebackup: the embedded
 * package has none). Resolves once it streams.
 */
export async function startReplica(options: ReplicaOptions): Promise<PostgresServer> {
  const { primary, runDirectory, name, signal } = options;
  if (!/^[a-z0-9_]+$/.test(name)) throw new Error(`A slot can't be called ${name}.`);
  const user = await findServerUser();
  const dataDirectory = await makeDataDirectory({ runDirectory, name }, user);
  await withClient(primary.dsn(), async (client) => {
    const role = `lab_${name}`;
    const password = await createReplicationRole(client, role);
    // Before the copy begins, so that the primary keeps every WAL segment the replica is going to ask for.
    await createSlot(client, name);
    const backupLabel = await copyWhileInBackup(client, primary.dataDirectory, dataDirectory, user);
    await prepareStandby(dataDirectory, backupLabel, connectionInfo(primary, name, role, password), name, user);
  });
  const { kind, installation, superuserPassword } = primary;
  const settings = { ...primary.settings, ...options.settings };
  const replica = await runServer({
    runDirectory,
    name,
    kind,
    installation,
    superuserPassword,
    settings,
    dataDirectory,
    signal,
    ...(options.port !== undefined && { port: options.port }),
  });
  await waitUntilStreaming(primary, replica);
  return replica;
}

/** Makes commits on the primary wait for one of the named replicas to have the WAL on disk; for none when empty. */
export async function setSynchronousReplicas(primary: PostgresServer, names: readonly string[]): Promise<void> {
  const value = names.length === 0 ? '' : `ANY 1 (${names.join(', ')})`;
  await withClient(primary.dsn(), async (client) => {
    await client.query(`alter system set synchronous_standby_names = '${value}'`);
    await client.query('select pg_reload_conf()');
  });
}

/** A role of the replica's own that can do nothing but stream; one from its former life is taken. @returns its password. */
export async function createReplicationRole(client: Client, role: string): Promise<string> {
  const password = randomBytes(18).toString('base64url');
  const { rowCount } = await client.query('select 1 from pg_roles where rolname = $1', [role]);
  await client.query(`${rowCount ? 'alter' : 'create'} role ${role} login replication password '${password}'`);
  return password;
}

/** The slot keeps WAL from now on; one from the replica's former life would stand somewhere else. */
export async function createSlot(client: Client, name: string): Promise<void> {
  await client.query('select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1', [
    name,
  ]);
  await client.query('select pg_create_physical_replication_slot($1, true)', [name]);
}

/** A consistent copy of the running server's data. @returns the text of its backup_label. */
export async function copyWhileInBackup(
  client: Client,
  source: string,
  target: string,
  user: ServerUser | undefined,
): Promise<string> {
  // The functions were renamed in PostgreSQL 15; the lab supports nothing older.
  await client.query("select pg_backup_start('lab replica', fast => true)");
  await copyCluster(source, target, user);
  const stopped = await client.query<{ labelfile: string }>(
    'select labelfile from pg_backup_stop(wait_for_archive => false)',
  );
  return stopped.rows[0]!.labelfile;
}

/** For `primary_conninfo`. Slots are only synchronised when it names a database. */
export function connectionInfo(primary: PostgresServer, name: string, role: string, password: string): string {
  const { host, port } = primary;
  return `host=${host} port=${port} user=${role} password=${password} application_name=${name} dbname=postgres`;
}

/**
 * Makes the data directory that of a standby at its next start. @param backupLabel of a copy; undefined for a directory
 * that was rewound, which has one already.
 */
export async function prepareStandby(
  dataDirectory: string,
  backupLabel: string | undefined,
  primaryConnection: string,
  slot: string,
  user: ServerUser | undefined,
): Promise<void> {
  const files = [{ name: 'standby.signal', text: '' }];
  if (backupLabel !== undefined) files.push({ name: 'backup_label', text: backupLabel });
  for (const { name, text } of files) {
    const file = path.join(dataDirectory, name);
    await writeFile(file, text, { mode: 0o600 });
    if (user) await chown(file, user.uid, user.gid);
  }
  // In the file and not on the command line, which every user of the machine can read.
  await appendFile(
    path.join(dataDirectory, 'postgresql.auto.conf'),
    `\nprimary_conninfo = '${primaryConnection}'\nprimary_slot_name = '${slot}'\n` +
      // A long report on the replica must not be cancelled by the primary's vacuum.
      "hot_standby = 'on'\nhot_standby_feedback = 'on'\nsynchronous_standby_names = ''\n",
  );
}

/** @throws Error when the replica does not stream within 30 s; it is stopped then. */
export async function waitUntilStreaming(primary: PostgresServer, replica: PostgresServer): Promise<void> {
  const streaming = await withClient(primary.dsn(), (client) =>
    waitUntil(
      async () => {
        const { rowCount } = await client.query(
          "select 1 from pg_stat_replication where application_name = $1 and state = 'streaming'",
          [replica.name],
        );
        return rowCount === 1;
      },
      { timeoutMs: 30_000 },
    ),
  );
  if (streaming) return;
  await replica.stop();
  throw new Error(`${replica.name} does not stream from ${primary.name}; its log is ${replica.logFile}`);
}
