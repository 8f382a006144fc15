import { appendFile, chown, cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { withClient } from '../kernel/postgres/with-client.ts';
import { waitUntil } from '../kernel/wait.ts';
import { type PostgresServer, runServer } from '../runtime/native/postgres.ts';
import { isAlive } from '../runtime/native/processes.ts';
import { copyWhileInBackup } from '../runtime/native/replica.ts';
import { findServerUser } from '../runtime/native/server-user.ts';
import { restoreCommand } from './archive.ts';

/** A consistent copy of a server's data directory; it becomes a server again with the WAL of the archive. */
export interface BaseBackup {
  directory: string;
  /** The server that it was taken from. */
  source: PostgresServer;
}

/** Takes a base backup of the running server into the new directory. */
export async function takeBaseBackup(source: PostgresServer, directory: string): Promise<BaseBackup> {
  const user = await findServerUser();
  await mkdir(directory, { mode: 0o700 });
  if (user) await chown(directory, user.uid, user.gid);
  const label = await withClient(source.dsn(), (client) =>
    copyWhileInBackup(client, source.dataDirectory, directory, user),
  );
  await writeOwned(path.join(directory, 'backup_label'), label);
  return { directory, source };
}

/** Where recovery ends: just before what was written at this position, or after the last commit before this time. */
export type RecoveryTarget = { lsn: string } | { time: string };

export interface RestoreOptions {
  backup: BaseBackup;
  /** Directory of the WAL archive. */
  archive: string;
  target: RecoveryTarget;
  /** Unique in the run: names the data directory and the log. */
  name: string;
  timeoutMs: number;
}

/**
 * A new server with the data as it was at the target. Resolves once it takes writes; the backup stays as it is.
 * @throws Error when the archive does not reach the target or recovery takes too long.
 */
export async function restoreTo(options: RestoreOptions): Promise<PostgresServer> {
  const { backup, archive, target, name } = options;
  const { kind, installation, superuserPassword } = backup.source;
  const runDirectory = path.dirname(backup.source.dataDirectory);
  const dataDirectory = path.join(runDirectory, `${name}-data`);
  await cp(backup.directory, dataDirectory, { recursive: true, preserveTimestamps: true });
  await ownTree(dataDirectory);
  const [setting, value] =
    'lsn' in target ? ['recovery_target_lsn', target.lsn] : ['recovery_target_time', target.time];
  await appendFile(
    path.join(dataDirectory, 'postgresql.auto.conf'),
    `\nrestore_command = '${restoreCommand(archive)}'\n${setting} = '${value}'\nrecovery_target_inclusive = 'off'\n` +
      "recovery_target_action = 'promote'\n",
  );
  await writeOwned(path.join(dataDirectory, 'recovery.signal'), '');
  const { archive_command: _command, archive_mode: _mode, ...settings } = backup.source.settings;
  const server = await runServer({
    runDirectory,
    name,
    kind,
    installation,
    superuserPassword,
    dataDirectory,
    settings,
  });
  const recovered = await withClient(server.dsn(), (client) =>
    waitUntil(
      async () => {
        if (!(await isAlive(server.pid))) return true;
        return (await client.query('select pg_is_in_recovery() as waiting')).rows[0].waiting === false;
      },
      { timeoutMs: options.timeoutMs, intervalMs: 20 },
    ),
  );
  if (recovered && (await isAlive(server.pid))) return server;
  await server.stop('immediate');
  throw new Error(`${name} was not recovered to ${value} within ${options.timeoutMs} ms; its log is ${server.logFile}`);
}

/** A copy by root belongs to root, whom PostgreSQL refuses. */
async function ownTree(directory: string): Promise<void> {
  const user = await findServerUser();
  if (!user) return;
  await chown(directory, user.uid, user.gid);
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    await chown(path.join(entry.parentPath, entry.name), user.uid, user.gid);
  }
}

async function writeOwned(file: string, text: string): Promise<void> {
  await writeFile(file, text, { mode: 0o600 });
  const user = await findServerUser();
  if (user) await chown(file, user.uid, user.gid);
}
