import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../test/postgres/database.ts';
import { vacuum } from './vacuum.ts';

let database: TestDatabase;
let client: Client;
beforeAll(async () => {
  database = await createDatabase('partitioned');
  client = new Client({ connectionString: database.dsn });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

test('after a turn autovacuum has nothing left to do, in partitions either', async () => {
  const left = async () => {
    await client.query('select pg_stat_force_next_flush()');
    const { rows } = await client.query<{ rows: string }>(
      'select sum(n_dead_tup + n_ins_since_vacuum + n_mod_since_analyze) as rows from pg_stat_user_tables',
    );
    return Number(rows[0]!.rows);
  };
  await client.query(`
    insert into orders (order_id, user_id, status, sequence, provider, provider_updated_at)
    select 'o' || i, 'u', 'created', 1, 'silvergate', now() from generate_series(1, 2000) i;
    update orders set sequence = 2;
    insert into order_events (event_id, order_id, user_id, sequence, kind, data)
    select gen_random_uuid(), order_id, user_id, 1, 'webhook_received', '{}' from orders`);
  expect(await left()).toBeGreaterThan(4_000);
  await vacuum([database.dsn]);
  expect(await left()).toBe(0);
});
