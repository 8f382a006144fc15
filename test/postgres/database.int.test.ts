import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { expect, test, vi } from 'vitest';
import { topologyNames } from '../../kernel/topology.ts';
import { createDatabase, createEmptyDatabase, type TestDatabase } from './database.ts';

test('the shared server is PostgreSQL 18 with settings for data that is thrown away', async () => {
  const database = await createEmptyDatabase();
  const rows = await query(
    database,
    `select current_setting('server_version_num')::int / 10000 as major, current_setting('fsync') as fsync,
            current_setting('listen_addresses') as addresses`,
  );
  await database.drop();
  expect(rows).toEqual([{ major: 18, fsync: 'off', addresses: '127.0.0.1' }]);
});

test.each(topologyNames.filter((name) => name !== 'citus'))(
  'a database of topology %s is migrated and alone',
  async (topology) => {
    const [one, other] = await Promise.all([createDatabase(topology), createDatabase(topology)]);
    await query(one, 'create table only_here (id int)');
    const [here] = await query(
      one,
      "select to_regclass('orders') is not null as orders, to_regclass('only_here') is not null as own",
    );
    const [there] = await query(
      other,
      "select to_regclass('orders') is not null as orders, to_regclass('only_here') is not null as own",
    );
    await Promise.all([one.drop(), other.drop()]);
    expect([here, there]).toEqual([
      { orders: true, own: true },
      { orders: true, own: false },
    ]);
    await expect(query(one, 'select 1')).rejects.toThrow('does not exist');
  },
);

test('a database is dropped when its clients have gone, and none is thrown out', async () => {
  const database = await createEmptyDatabase();
  const client = new pg.Client({ connectionString: database.dsn });
  const lost = vi.fn();
  client.on('error', lost);
  await client.connect();
  const dropped = database.drop();
  await setTimeout(1_200);
  await client.end();
  await dropped;
  expect(lost).not.toHaveBeenCalled();
  await expect(query(database, 'select 1')).rejects.toThrow('does not exist');
});

async function query(database: TestDatabase, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: database.dsn });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
