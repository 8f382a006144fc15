import { chmod, chown, copyFile, lstat, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { ServerUser } from './server-user.ts';

/**
 * Directories whose content belongs to the running server alone; they are copied empty (PostgreSQL's manual, "Making a
 * Base Backup Using the Low Level API").
 */
const emptied = new Set([
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
]);
const skipped =
  /^(postmaster\.(pid|opts)|pg_internal\.init.*|pgsql_tmp.*|standby\.signal|recovery\.signal|backup_label)$/;

/**
 * Copies the data directory of a running server into the empty directory `target`. Only good between
 * `pg_backup_start` and `pg_backup_stop`; files that vanish while it runs are restored from the WAL.
 */
export async function copyCluster(source: string, target: string, user: ServerUser | undefined): Promise<void> {
  for (const entry of await readdir(source, { withFileTypes: true })) {
    if (skipped.test(entry.name)) continue;
    const from = path.join(source, entry.name);
    const to = path.join(target, entry.name);
    try {
      if (entry.isDirectory()) {
        await mkdir(to, { mode: 0o700 });
        await own(to, user);
        if (!emptied.has(entry.name)) await copyCluster(from, to, user);
      } else if (entry.isFile()) {
        await copyFile(from, to);
        await chmod(to, 0o600);
        await own(to, user);
      } else {
        throw new Error(`${from} is no plain file: the lab's servers have no tablespaces`);
      }
    } catch (error) {
      const vanished = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!vanished || (await lstat(from).catch(() => undefined))) throw error;
    }
  }
}

async function own(file: string, user: ServerUser | undefined): Promise<void> {
  if (user) await chown(file, user.uid, user.gid);
}
