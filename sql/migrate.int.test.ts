import { appendFile, cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEmptyDatabase, type TestDatabase } from '../test/postgres/database.ts';
import { describeSchema } from './dump.ts';
import { listMigrations, sqlFolder } from './files.ts';
import { migrate } from './migrate.ts';

let database: TestDatabase;
let folder: string;
let client: Client;

beforeEach(async () => {
  database = await createEmptyDatabase();
  client = new Client({ connectionString: database.dsn });
  await client.connect();
  folder = await mkdtemp(path.join(tmpdir(), 'lab-sql-'));
  for (const part of ['base', 'topologies']) {
    await cp(path.join(sqlFolder, part), path.join(folder, part), { recursive: true });
  }
});

afterEach(async () => {
  await client.end();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

const run = (topology: 'plain' | 'partitioned' | 'citus' = 'plain') => migrate({ dsn: database.dsn, topology, folder });

async function firstColumn(query: string): Promise<unknown[]> {
  const { rows } = await client.query({ text: query, rowMode: 'array' });
  return rows.map((row) => row[0]);
}

test('runs every file once, in the order of the numbers, base and topology merged', async () => {
  const expected = (await listMigrations('partitioned')).map((migration) => migration.name);
  expect(expected).toEqual([...expected].sort());
  expect((await run('partitioned')).applied).toEqual(expected);
  expect((await run('partitioned')).applied).toEqual([]);
  expect(await firstColumn('select name from schema_migrations order by applied_at, name')).toEqual(expected);
});

test('several instances at once apply each file once and end with the same schema', async () => {
  const results = await Promise.all(Array.from({ length: 5 }, () => run('partitioned')));
  const applied = results.map((result) => result.applied.length).sort((a, b) => b - a);
  expect(applied).toEqual([(await listMigrations('partitioned')).length, 0, 0, 0, 0]);

  const alone = await createEmptyDatabase();
  await migrate({ dsn: alone.dsn, topology: 'partitioned' });
  const schemaOfOne = await describeSchema(alone.dsn);
  await alone.drop();
  expect(await describeSchema(database.dsn)).toBe(schemaOfOne);
});

test('a migrated database lets its readers make no temporary tables', async () => {
  await run();
  const roles = ['lab_api', 'lab_worker', 'lab_reader', 'lab_cdc', 'lab_grafana'];
  const mayMake = roles.map((role) => `has_database_privilege('${role}', current_database(), 'temporary') as ${role}`);
  const { rows } = await client.query(`select ${mayMake.join(', ')}`);
  expect(rows).toEqual([Object.fromEntries(roles.map((role) => [role, false]))]);
});

test('two databases of one server can be migrated at once, although roles belong to the server', async () => {
  const other = await createEmptyDatabase();
  const results = await Promise.all([run(), migrate({ dsn: other.dsn, topology: 'partitioned' })]);
  await other.drop();
  expect(results.every((result) => result.applied.length > 0)).toBe(true);
});

test('a file that was changed after it ran is refused by its name', async () => {
  await run();
  await appendFile(path.join(folder, 'base', '0001_roles.sql'), '-- one more line\n');
  await expect(run()).rejects.toThrow(/0001_roles\.sql was changed after it ran/);
});

test('a new file is applied to a database that has the others', async () => {
  await run();
  await writeFile(path.join(folder, 'base', '0085_notes.sql'), 'create table notes (id int);\n');
  expect((await run()).applied).toEqual(['0085_notes.sql']);
});

describe('a failing migration', () => {
  const broken = 'create table half (id int);\ninsert into half values (1);\nselect * from nowhere;\n';

  test('is named, leaves nothing of itself, and keeps what ran before', async () => {
    await writeFile(path.join(folder, 'base', '0085_broken.sql'), broken);
    await expect(run()).rejects.toThrow(/0085_broken\.sql failed: relation "nowhere" does not exist/);
    expect(await firstColumn("select to_regclass('half') is null")).toEqual([true]);
    const done = await firstColumn('select name from schema_migrations order by name');
    expect(done).toContain('0080_maintenance.sql');
    expect(done).not.toContain('0085_broken.sql');
    expect(done).not.toContain('0089_grants.sql');
  });

  test('can be mended and run again', async () => {
    const file = path.join(folder, 'base', '0085_broken.sql');
    await writeFile(file, broken);
    await expect(run()).rejects.toThrow();
    await writeFile(file, broken.replace('select * from nowhere;\n', ''));
    const left = (await listMigrations('plain', folder)).map((migration) => migration.name);
    expect((await run()).applied).toEqual(left.filter((name) => name >= '0085_broken.sql'));
  });

  test('does not keep the lock', async () => {
    await writeFile(path.join(folder, 'base', '0085_broken.sql'), broken);
    await expect(run()).rejects.toThrow();
    const held = `select count(*)::int from pg_locks l join pg_database d on d.oid = l.database
                  where l.locktype = 'advisory' and d.datname = current_database()`;
    expect(await firstColumn(held)).toEqual([0]);
  });
});

describe('files', () => {
  test('one that a topology lacks and another has is an error, and nothing runs', async () => {
    await rm(path.join(folder, 'topologies', 'plain', '0044_outbox.sql'));
    await expect(run('plain')).rejects.toThrow('sql/topologies/plain lacks 0044_outbox.sql');
    expect(await firstColumn("select to_regclass('schema_migrations') is null")).toEqual([true]);
  });

  test('an extra step from 0090 on is one topology’s own', async () => {
    await writeFile(path.join(folder, 'topologies', 'partitioned', '0199_extra.sql'), 'create table extra (id int);\n');
    expect((await run('plain')).applied).not.toContain('0199_extra.sql');
    expect((await listMigrations('partitioned', folder)).at(-1)?.name).toBe('0199_extra.sql');
  });

  test('the same name in base and in a topology is an error', async () => {
    await writeFile(path.join(folder, 'base', '0044_outbox.sql'), 'select 1;\n');
    await expect(run()).rejects.toThrow('0044_outbox.sql stands in base and in a topology');
  });

  test('a name without a number is an error', async () => {
    await writeFile(path.join(folder, 'base', 'notes.sql'), 'select 1;\n');
    await expect(run()).rejects.toThrow('name it NNNN_words.sql');
  });

  test('a topology without a folder is an error that says so', async () => {
    await rm(path.join(folder, 'topologies', 'citus'), { recursive: true, force: true });
    await expect(run('citus')).rejects.toThrow('sql/topologies/citus does not exist');
  });

  test('the topologies hold files of the same names', async () => {
    const names = (topology: string) => readdir(path.join(sqlFolder, 'topologies', topology));
    const shared = (all: string[]) => all.filter((name) => name < '0090').sort();
    expect(shared(await names('partitioned'))).toEqual(shared(await names('plain')));
    expect(shared(await names('citus'))).toEqual(shared(await names('plain')));
  });
});
