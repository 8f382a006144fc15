import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Client } from 'pg';

const run = promisify(execFile);

/** Empties the caches that lie between a query and the disk, as far as this machine lets us. */
export interface ColdCache {
  /** What `empty` empties, in words; null when nothing can be emptied here. */
  description: string | null;
  empty(): Promise<void>;
}

/**
 * PostgreSQL 17 and newer can give up their shared buffers without a restart (pg_buffercache). On Linux the
 * database's files are then taken out of the operating system's page cache too (`dd` with `iflag=nocache`, which asks
 * for POSIX_FADV_DONTNEED), and those files alone: the cache of other programs stays as it is and no right of root is needed.
 * @param client a superuser's connection to the server whose cache is meant
 * @param dataDirectory where that server keeps its files
 */
export async function coldCache(client: Client, dataDirectory: string): Promise<ColdCache> {
  const evict = await evictStatement(client);
  if (evict === null) {
    const description = null;
    return { description, empty: () => Promise.reject(new Error('this server cannot empty its buffers')) };
  }
  const oid = await client.query<{ oid: string }>(
    'select oid::text as oid from pg_database where datname = current_database()',
  );
  const directory = path.join(dataDirectory, 'base', oid.rows[0]!.oid);
  const dropsPages = process.platform === 'linux' && (await canDropPages(directory));
  return {
    description: dropsPages
      ? 'shared buffers and the page cache of the database’s files; what lies below the operating system stays as it is'
      : 'shared buffers only; the operating system still holds the files in its page cache',
    empty: async () => {
      await client.query(evict);
      if (dropsPages) await dropPages(directory);
    },
  };
}

async function evictStatement(client: Client): Promise<string | null> {
  const found = await client.query<{ number: string }>(
    `select current_setting('server_version_num') as number from pg_extension where extname = 'pg_buffercache'`,
  );
  const number = Number(found.rows[0]?.number ?? 0);
  if (number >= 180_000) return 'select * from pg_buffercache_evict_all()';
  if (number >= 170_000) return 'select count(pg_buffercache_evict(bufferid)) from pg_buffercache';
  return null;
}

async function canDropPages(directory: string): Promise<boolean> {
  return dropPages(directory).then(
    () => true,
    () => false,
  );
}

async function dropPages(directory: string): Promise<void> {
  const files = (await readdir(directory)).filter((name) => /^\d/.test(name));
  const script = 'for file in "$@"; do dd if="$file" iflag=nocache count=0 status=none || exit 1; done';
  await run('sh', ['-c', script, 'sh', ...files], { cwd: directory });
}
