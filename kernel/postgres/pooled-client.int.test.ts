import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEmptyDatabase, type TestDatabase } from '../../test/postgres/database.ts';
import { createPool } from './pool.ts';
import { withTransaction } from './transaction.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createEmptyDatabase();
});
afterAll(() => database.drop());

const logger = pino({ level: 'silent' });

/** On the server itself, where what is left in a session can be seen: behind a pooler, another client would meet it. */
describe.each([false, true])('a pool for transaction mode, pipeline mode %s', (pipeline) => {
  let pool: Pool;
  const open = (preparedStatements: boolean) =>
    createPool({
      dsn: database.dsn,
      applicationName: 'test',
      logger,
      max: 1,
      pipeline,
      statementTimeoutMs: 1_234,
      sessionSettings: { enable_seqscan: 'off' },
      transactionPooling: { preparedStatements },
    });
  beforeAll(() => {
    pool = open(false);
  });
  afterAll(() => pool.end());

  const shown = "select current_setting('enable_seqscan') as scan, current_setting('statement_timeout') as timeout";

  test('settings hold in a transaction, and none is left in the session', async () => {
    const inside = await withTransaction(pool, async (client) => (await client.query(shown)).rows[0]);
    expect(inside.result).toEqual({ scan: 'off', timeout: '1234ms' });
    expect((await pool.query(shown)).rows[0]).toEqual({ scan: 'on', timeout: '0' });
  });

  test('a statement with a name leaves none on the server, and its values arrive', async () => {
    const query = { name: 'one', text: 'select $1::int8 as n', values: [7] };
    expect((await pool.query(query)).rows).toEqual([{ n: 7n }]);
    expect((await pool.query(query)).rows).toEqual([{ n: 7n }]);
    expect((await pool.query('select name from pg_prepared_statements')).rows).toEqual([]);
  });

  test('names stay where the pooler keeps them', async () => {
    const other = open(true);
    try {
      await other.query({ name: 'one', text: 'select 1' });
      expect((await other.query('select name from pg_prepared_statements')).rows).toEqual([{ name: 'one' }]);
    } finally {
      await other.end();
    }
  });
});

test('several hosts behind a pooler are refused: it is the pooler that knows the primary', () => {
  const options = { applicationName: 'test', logger, transactionPooling: { preparedStatements: false } };
  const dsn = 'postgresql://u@one:1,two:2/db?target_session_attrs=read-write';
  expect(() => createPool({ ...options, dsn })).toThrow('a pooler is one host');
});
