import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';
import { withClient } from '../kernel/postgres/with-client.ts';
import type { PartitionInterval, TopologyName } from '../kernel/topology.ts';
import { listMigrations, type Migration, sqlFolder } from './files.ts';
import { statementsOf } from './statements.ts';

export interface MigrateOptions {
  /** postgresql:// URL of a role that may create tables, functions, roles and extensions. */
  dsn: string;
  topology: TopologyName;
  /** How long partitions are from now on; as the database has them, which is daily at first, where it is left out. */
  partitions?: PartitionInterval | undefined;
  /** Folder with `base` and `topologies`; this one unless told otherwise. */
  folder?: string;
}

/** Session lock that lets one migrator at a time work on a database; the number only has to be the lab's own. */
const lockId = 7_203_114_885_121;

/**
 * Brings a database to the topology's newest schema. Each file runs once, in a transaction of its own; a file that was
 * changed after it ran is an error. Several instances may call this at once: they queue behind an advisory lock.
 * @throws Error that names the file, when a statement fails or a file's content is not what was applied.
 */
export async function migrate(options: MigrateOptions): Promise<{ applied: string[] }> {
  const migrations = await listMigrations(options.topology, options.folder ?? sqlFolder);
  const run = async (client: Client): Promise<{ applied: string[] }> => {
    await client.query("set timezone = 'UTC'; set client_min_messages = warning");
    await client.query('select pg_advisory_lock($1)', [lockId]);
    const done = await appliedMigrations(client);
    const applied: string[] = [];
    for (const migration of migrations) {
      if (await apply(client, migration, done.get(migration.name))) applied.push(migration.name);
    }
    if (options.partitions) await changePartitionInterval(client, options.partitions);
    return { applied };
  };
  return withClient(options.dsn, run, { application_name: 'lab-migrate' });
}

const units = { daily: 'day', weekly: 'week', monthly: 'month' } as const;

/** Makes partitions as long as `interval` from now on, and those anew that hold no rows yet. Needs the tables' owner. */
export async function changePartitionInterval(client: Client, interval: PartitionInterval): Promise<void> {
  await client.query('call change_partition_interval($1)', [units[interval]]);
}

async function appliedMigrations(client: Client): Promise<Map<string, string>> {
  await client.query(
    `create table if not exists schema_migrations (
       name text primary key,
       sha256 text not null,
       applied_at timestamptz not null default now()
     )`,
  );
  const result = await client.query<{ name: string; sha256: string }>('select name, sha256 from schema_migrations');
  return new Map(result.rows.map((row) => [row.name, row.sha256]));
}

async function apply(client: Client, migration: Migration, appliedSha256: string | undefined): Promise<boolean> {
  const text = await readFile(migration.path, 'utf8');
  const sha256 = createHash('sha256').update(text).digest('hex');
  if (appliedSha256 === sha256) return false;
  if (appliedSha256 !== undefined) {
    throw new Error(`Migration ${migration.name} was changed after it ran here. Undo the change and add a new file.`);
  }
  try {
    await client.query('begin');
    // One at a time: Citus hands the whole text that it was sent to its workers, which take one statement of it.
    for (const statement of statementsOf(text)) await client.query(statement);
    await client.query('insert into schema_migrations (name, sha256) values ($1, $2)', [migration.name, sha256]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw new Error(`Migration ${migration.name} failed: ${(error as Error).message}`, { cause: error });
  }
  return true;
}
