import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../test/postgres/database.ts';
import { dailyTables, maxLocksPerTransaction } from './lock-table.ts';

let database: TestDatabase;
let client: Client;
beforeAll(async () => {
  database = await createDatabase('partitioned');
  client = new Client({ connectionString: database.dsn });
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await database?.drop();
});

test('the lock table is sized for the partitions and indexes that the migrations make', async () => {
  const { rows } = await client.query(
    `select table_name, extract(day from retention)::int as "keptDays", premake_days as "premadeDays",
       (select count(*)::int from pg_index where indrelid = table_name::regclass) as indexes
     from retention_settings join partitioned_tables() t on t = table_name`,
  );
  const found = rows.map(({ table_name, ...table }) => [table_name, table]);
  expect(Object.fromEntries(found)).toEqual(dailyTables);
});

test('a whole read locks each partition once with its indexes', async () => {
  await client.query('begin');
  await client.query('select count(*) from dispute_events where dispute_id > $1', ['x']);
  const { rows } = await client.query(
    `select count(*)::int as locks from pg_locks where pid = pg_backend_pid() and relation::regclass::text ~ '^dispute_events'`,
  );
  await client.query('rollback');
  // Yesterday, today, seven days ahead, the default partition and the parent, with five indexes each.
  expect(rows[0].locks).toBe((2 + 7 + 1 + 1) * 6);
});

test('fewer connections leave each of them more locks', () => {
  expect(maxLocksPerTransaction(100)).toBe(1024);
  expect(maxLocksPerTransaction(50)).toBeGreaterThan(1024);
});
