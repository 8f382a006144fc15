import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMetrics } from '../kernel/metrics.ts';
import { createPool } from '../kernel/postgres/pool.ts';
import { withClient } from '../kernel/postgres/with-client.ts';
import { asRole, createDatabase, type TestDatabase } from '../test/postgres/database.ts';
import { maintain, observe } from './maintenance.ts';

let database: TestDatabase;
let pool: Pool;
let lines: { msg: string; tables?: unknown }[];
const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });

async function open(topology: 'plain' | 'partitioned'): Promise<void> {
  lines = [];
  database = await createDatabase(topology);
  pool = createPool({ dsn: asRole(database.dsn, 'lab_api'), applicationName: 'maintenance-test', logger, max: 2 });
}
afterEach(async () => {
  await pool?.end();
  await database?.drop();
});

/** As the owner of the tables. */
const asOwner = (text: string) => withClient(database.dsn, (client) => client.query(text));

describe('partitioned', () => {
  beforeEach(() => open('partitioned'));

  test('the API’s role makes and drops partitions step by step, and says what it did once', async () => {
    await asOwner("select ensure_partitions('outbox', current_date - 12, current_date - 11)");
    await maintain({ pool, logger });
    await maintain({ pool, logger });
    expect(lines).toMatchObject([{ msg: 'maintenance', tables: [{ table: 'outbox', created: 0, dropped: 2 }] }]);
    await observe({ pool, logger, metrics: createMetrics({ service: 'api', topology: 'partitioned' }) });
    expect(lines).toHaveLength(1);
  });
});

describe('plain', () => {
  beforeEach(() => open('plain'));

  const addExpired = (rows: number) =>
    asOwner(
      `insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers, created_at)
       select gen_random_uuid(), 'order', 'o', 'u', n, 'x', '{}', '{}', now() - interval '8 days' from generate_series(1, ${rows}) n`,
    );
  const left = async () => Number((await asOwner('select count(*) as n from outbox')).rows[0].n);

  test('more expired rows than one call deletes are deleted by several', async () => {
    await addExpired(21_500);
    await maintain({ pool, logger });
    expect(await left()).toBe(0);
    expect(lines.map(({ tables }) => tables)).toMatchObject([[{ deleted: 20_000 }], [{ deleted: 1_500 }]]);
  });

  test('a service that ends begins no further call', async () => {
    await addExpired(10);
    await maintain({ pool, logger }, AbortSignal.abort());
    expect(await left()).toBe(10);
  });
});
