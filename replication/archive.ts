import { chown, mkdir } from 'node:fs/promises';
import type { Client } from 'pg';
import { waitUntil } from '../kernel/wait.ts';
import { findServerUser } from '../runtime/native/server-user.ts';

/**
 * Makes the directory for the WAL archive and the server settings that fill it. A segment is copied under another name,
 * synced and renamed, so that a half-copied one is never taken for whole, and the directory is synced before the server
 * may remove its own. One that is there already is never replaced; the same one again is no failure, since a server that
 * crashed before it noted the end would try for ever.
 */
export async function createArchive(directory: string): Promise<Record<string, string>> {
  if (!/^[\w./-]+$/.test(directory)) throw new Error(`${directory} can't be put into a shell command`);
  await mkdir(directory, { mode: 0o700 });
  const user = await findServerUser();
  if (user) await chown(directory, user.uid, user.gid);
  return {
    archive_mode: 'on',
    archive_command:
      `cmp -s %p ${directory}/%f || { test ! -f ${directory}/%f && cp %p ${directory}/%f.partial && ` +
      `sync ${directory}/%f.partial && mv ${directory}/%f.partial ${directory}/%f && sync ${directory}; }`,
  };
}

/** `restore_command` for a server that recovers from the archive. */
export function restoreCommand(directory: string): string {
  return `cp ${directory}/%f %p`;
}

/** Closes the current segment and waits until the archive has it. @throws Error when that takes over 30 s. */
export async function archiveUpToNow(client: Client): Promise<void> {
  const { rows } = await client.query<{ file: string }>('select pg_walfile_name(pg_switch_wal()) as file');
  const file = rows[0]!.file;
  const archived = async () => {
    const answer = await client.query<{ done: boolean }>(
      `select last_archived_wal >= $1 and last_archived_wal ~ '^[0-9A-F]{24}$' as done from pg_stat_archiver`,
      [file],
    );
    return answer.rows[0]?.done === true;
  };
  if (!(await waitUntil(archived, { timeoutMs: 30_000, intervalMs: 50 }))) {
    throw new Error(`the archive does not have ${file} after 30 s`);
  }
}
