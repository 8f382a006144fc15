import type { ClientBase, Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createEmptyDatabase, type TestDatabase } from '../../test/postgres/database.ts';
import { isStoreUnavailable } from './errors.ts';
import { formatLsn, splitPosition } from './lsn.ts';
import { createPool } from './pool.ts';
import { withPipelinedTransaction, withTransaction } from './transaction.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createEmptyDatabase();
});

afterAll(() => database.drop());

describe.each([false, true])('with pipeline mode %s', (pipeline) => {
  let pool: Pool;

  beforeAll(async () => {
    pool = createPool({
      dsn: database.dsn,
      applicationName: 'test',
      logger: pino({ level: 'silent' }),
      max: 4,
      pipeline,
    });
    await pool.query('drop table if exists t');
    await pool.query('create table t (id int primary key deferrable initially deferred)');
  });

  beforeEach(async () => void (await pool.query('truncate t')));

  afterAll(() => pool.end());

  const rows = async () => (await pool.query('select id from t order by id')).rows.map((row) => row.id);

  test('the work is committed, and the position covers it', async () => {
    const before = await pool.query('select pg_current_wal_insert_lsn() - $1 as lsn', ['0/0']);
    const { result, commitLsn } = await withTransaction(pool, async (client) => {
      await client.query('insert into t values (1)');
      return 'done';
    });
    expect(result).toBe('done');
    expect(await rows()).toEqual([1]);
    expect(splitPosition(commitLsn).timeline).toBe(1);
    expect(splitPosition(commitLsn).lsn).toBeGreaterThan(BigInt(before.rows[0].lsn));
  });

  test('an error rolls back and leaves the connection usable', async () => {
    const failing = withTransaction(pool, async (client) => {
      await client.query('insert into t values (1)');
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await rows()).toEqual([]);
    expect(pool.totalCount).toBe(pool.idleCount);
  });

  test('a connection to a server that takes no writes any more is replaced', async () => {
    const pid = async () => (await pool.query('select pg_backend_pid() as pid')).rows[0].pid;
    const failing = withTransaction(pool, async (client) => {
      await client.query('set transaction read only');
      await client.query('insert into t values (1)');
    });
    await expect(failing).rejects.toMatchObject({ code: '25006' });
    expect(pool.totalCount).toBe(0);
    expect(await pid()).toBeGreaterThan(0);
    expect(pool.totalCount).toBe(1);
  });

  test('an error that the work has swallowed does not pass as a commit', async () => {
    const failing = withTransaction(pool, async (client) => {
      await client.query('insert into t values (1)');
      await client.query('select 1/0').catch(() => {});
    });
    await expect(failing).rejects.toThrow('rolled back');
    expect(await rows()).toEqual([]);
  });

  test('an error at COMMIT is an error', async () => {
    const failing = withTransaction(pool, (client) => client.query('insert into t values (1), (1)'));
    await expect(failing).rejects.toMatchObject({ code: '23505' });
    expect(await rows()).toEqual([]);
  });

  test.each(['40001', '40P01', '55P03'])('SQLSTATE %s is tried again, as a whole', async (state) => {
    let calls = 0;
    const { result } = await withTransaction(pool, async (client) => {
      calls += 1;
      await client.query('insert into t values ($1)', [calls]);
      if (calls < 3) await client.query(`do $$ begin raise sqlstate '${state}'; end $$`);
      return calls;
    });
    expect({ result, rows: await rows() }).toEqual({ result: 3, rows: [3] });
  });

  test('attempts end, and other errors are not tried again', async () => {
    for (const [state, attempts, expected] of [
      ['40001', 2, 2],
      ['22012', 5, 1],
    ] as const) {
      let calls = 0;
      const failing = withTransaction(
        pool,
        async (client) => {
          calls += 1;
          await client.query(`do $$ begin raise sqlstate '${state}'; end $$`);
        },
        { attempts, random: () => 0 },
      );
      await expect(failing).rejects.toMatchObject({ code: state });
      expect(calls).toBe(expected);
    }
  });

  test('a lost connection is thrown away, whether a query runs or not, and says that the store was away', async () => {
    const whileRunning = withTransaction(pool, (client) =>
      client.query('select pg_terminate_backend(pg_backend_pid())'),
    );
    await expect(whileRunning).rejects.toSatisfy(isStoreUnavailable);
    const whileIdle = withTransaction(pool, async (client) => {
      const { rows: own } = await client.query('select pg_backend_pid() as pid');
      const ended = new Promise((resolve) => client.once('end', resolve));
      await pool.query('select pg_terminate_backend($1)', [own[0].pid]);
      await ended;
      return client.query('select 1');
    });
    await expect(whileIdle).rejects.toSatisfy(isStoreUnavailable);
    expect(await rows()).toEqual([]);
    expect(pool.totalCount).toBe(pool.idleCount);
  });

  test('two transactions that deadlock both end', async () => {
    await pool.query('insert into t values (1), (2)');
    const lockBoth = (first: number, second: number, other: Promise<void>, locked: () => void) =>
      withTransaction(pool, async (client) => {
        await client.query('select from t where id = $1 for update', [first]);
        locked();
        await other;
        await client.query('select from t where id = $1 for update', [second]);
      });
    const one = Promise.withResolvers<void>();
    const two = Promise.withResolvers<void>();
    await Promise.all([lockBoth(1, 2, two.promise, one.resolve), lockBoth(2, 1, one.promise, two.resolve)]);
  });
});

describe('pipelined', () => {
  let pool: Pool;

  beforeAll(async () => {
    const logger = pino({ level: 'silent' });
    pool = createPool({ dsn: database.dsn, applicationName: 'test', logger, max: 2, pipeline: true });
    await pool.query('drop table if exists p');
    await pool.query('create table p (id int primary key)');
  });

  beforeEach(async () => void (await pool.query('truncate p')));

  afterAll(() => pool.end());

  const rows = async () => (await pool.query('select id from p order by id')).rows.map((row) => row.id);
  const insert = (client: ClientBase, id: number) => client.query('insert into p values ($1)', [id]);

  test('what was loaded reaches the writer, and all its statements are one transaction', async () => {
    const { result, commitLsn } = await withPipelinedTransaction(
      pool,
      async (client) => (await client.query('select 7 as id')).rows[0].id as number,
      (client, id) => ({ result: id, statements: [insert(client, id), insert(client, id + 1)] }),
    );
    expect(result).toBe(7);
    expect(await rows()).toEqual([7, 8]);
    const { rows: after } = await pool.query('select pg_current_wal_insert_lsn() >= $1::pg_lsn as covered', [
      formatLsn(splitPosition(commitLsn).lsn),
    ]);
    expect(after[0].covered).toBe(true);
  });

  test('the first statement that failed is the error; nothing stays, and the connection serves on', async () => {
    const failing = withPipelinedTransaction(
      pool,
      async () => undefined,
      (client) => ({ result: 0, statements: [insert(client, 1), insert(client, 1), insert(client, 2)] }),
    );
    await expect(failing).rejects.toMatchObject({ code: '23505' });
    expect(await rows()).toEqual([]);
    expect(pool.totalCount).toBe(pool.idleCount);
  });

  test('nothing is written when loading fails or the writer throws', async () => {
    const loadFails = withPipelinedTransaction(
      pool,
      (client) => client.query('select 1/0'),
      () => {
        throw new Error('must not be called');
      },
    );
    await expect(loadFails).rejects.toMatchObject({ code: '22012' });
    const writerThrows = withPipelinedTransaction(
      pool,
      async () => undefined,
      () => {
        throw new Error('no');
      },
    );
    await expect(writerThrows).rejects.toThrow('no');
    expect(await rows()).toEqual([]);
    expect(pool.totalCount).toBe(pool.idleCount);
  });

  test('a conflict is tried again, as a whole', async () => {
    let calls = 0;
    await withPipelinedTransaction(
      pool,
      async (client) => {
        calls += 1;
        if (calls < 3) await client.query(`do $$ begin raise sqlstate '40001'; end $$`);
      },
      (client) => ({ result: 0, statements: [insert(client, calls)] }),
      { random: () => 0 },
    );
    expect(await rows()).toEqual([3]);
  });

  test('a BEGIN that failed is followed by no write', async () => {
    const client = await pool.connect();
    const original = client.query;
    // What a cancelled BEGIN looks like: the server answers with an error, and the connection lives on.
    client.query = ((...given: unknown[]) =>
      Reflect.apply(original, client, given[0] === 'begin' ? ['select 1/0'] : given)) as typeof client.query;
    const one = { connect: async () => client } as unknown as Pool;
    const failing = withPipelinedTransaction(
      one,
      async (lent) => (await lent.query('select 1 as one')).rows,
      (lent) => ({ result: 0, statements: [insert(lent, 1)] }),
    );
    await expect(failing).rejects.toMatchObject({ code: '22012' });
    client.query = original;
    expect(await rows()).toEqual([]);
  });

  test('a connection lost under the writes says that the store was away', async () => {
    const failing = withPipelinedTransaction(
      pool,
      async () => undefined,
      (client) => ({
        result: 0,
        statements: [insert(client, 1), client.query('select pg_terminate_backend(pg_backend_pid())')],
      }),
    );
    await expect(failing).rejects.toSatisfy(isStoreUnavailable);
    expect(await rows()).toEqual([]);
  });
});
