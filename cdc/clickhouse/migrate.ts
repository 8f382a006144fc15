import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { ClickHouseClient } from '@clickhouse/client';

const directory = new URL('./migrations/', import.meta.url);

/**
 * Brings the database of the client's URL to the newest schema. Every statement creates only what is not there, so that
 * several processes may start at once.
 * @returns the names of the files that were applied
 * @throws Error when a file differs from what was applied under its name
 */
export async function migrateClickhouse(client: ClickHouseClient): Promise<string[]> {
  await client.command({
    query: `create table if not exists schema_migrations (name String, sha256 String, applied_at DateTime default now())
            engine = MergeTree order by name settings fsync_after_insert = 1`,
  });
  const known = await client.query({ query: 'select name, sha256 from schema_migrations', format: 'JSONEachRow' });
  const applied = new Map((await known.json<{ name: string; sha256: string }>()).map((row) => [row.name, row.sha256]));
  const done: string[] = [];
  for (const name of (await readdir(directory)).filter((file) => file.endsWith('.sql')).sort()) {
    const query = await readFile(new URL(name, directory), 'utf8');
    const sha256 = createHash('sha256').update(query).digest('hex');
    const before = applied.get(name);
    if (before === sha256) continue;
    if (before !== undefined) throw new Error(`${name} is not what was applied to this database; add a new migration.`);
    await client.command({ query });
    await client.insert({ table: 'schema_migrations', values: [{ name, sha256 }], format: 'JSONEachRow' });
    done.push(name);
  }
  return done;
}
