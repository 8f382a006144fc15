import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEmptyDatabase, type TestDatabase } from './database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createEmptyDatabase();
});
afterAll(() => database.drop());

test('the shared server is PostgreSQL 18 with settings for data that nobody needs later', async () => {
  const client = new pg.Client({ connectionString: database.dsn });
  await client.connect();
  const { rows } = await client.query(
    `select current_setting('server_version_num')::int / 10000 as major, current_setting('fsync') as fsync,
            current_setting('listen_addresses') as addresses`,
  );
  await client.end();
  expect(rows).toEqual([{ major: 18, fsync: 'off', addresses: '127.0.0.1' }]);
});
