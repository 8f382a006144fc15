import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import type { TopologyName } from '../../kernel/topology.ts';
import { migrate } from '../../sql/migrate.ts';

export interface TestDatabase {
  /** The superuser's connection URL. */
  dsn: string;
  /**
   * Removes it as soon as its connections have gone: who has ended one leaves a moment later, and the server waits up
   * to five seconds. It throws none out, which would be an error that no test reports.
   */
  drop(): Promise<void>;
}

/**
 * A database of its own with the topology's schema, cloned in some 50 ms from a template that the first caller of the
 * run migrates. Call it in `beforeAll`, `drop` in `afterAll`.
 */
export async function createDatabase(topology: TopologyName): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await withServer(async (client) => {
    await ensureTemplate(client, topology);
    await client.query(`create database ${name} template template_${topology}`);
  });
  return {
    dsn: databaseDsn(name),
    drop: () => withServer((client) => client.query(`drop database if exists ${name}`)),
  };
}

/** An empty database, for tests of the migrations themselves. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await withServer((client) => client.query(`create database ${name}`));
  return {
    dsn: databaseDsn(name),
    drop: () => withServer((client) => client.query(`drop database if exists ${name}`)),
  };
}

/**
 * Test files run in several processes, so the lock is in the database. It also keeps two templates apart, because
 * migrations create roles, and these belong to the whole server.
 */
async function ensureTemplate(client: pg.Client, topology: TopologyName): Promise<void> {
  const name = `template_${topology}`;
  await client.query('select pg_advisory_lock(727401)');
  try {
    const known = await client.query('select 1 from pg_database where datname = $1 and datistemplate', [name]);
    if (known.rowCount) return;
    // What a failed migration left would otherwise hide the error from the next caller.
    await client.query(`drop database if exists ${name} with (force)`);
    await client.query(`create database ${name}`);
    await migrate({ dsn: databaseDsn(name), topology });
    await client.query(`alter database ${name} with is_template true allow_connections false`);
  } finally {
    await client.query('select pg_advisory_unlock(727401)');
  }
}

function databaseDsn(name: string): string {
  const url = new URL(inject('postgresDsn'));
  url.pathname = `/${name}`;
  return url.href;
}

async function withServer<T>(work: (client: pg.Client) => Promise<T>): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresDsn') });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** The connection URL with the rights of a role only, such as `lab_api`: what the services have in production. */
export function asRole(dsn: string, role: string): string {
  const url = new URL(dsn);
  url.searchParams.set('options', `-c role=${role}`);
  return url.href;
}
