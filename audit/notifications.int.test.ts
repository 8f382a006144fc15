import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPool } from '../kernel/postgres/pool.ts';
import { withClient } from '../kernel/postgres/with-client.ts';
import { createPlanner } from '../notifications/plan/plan.ts';
import { insertPaid, insertUser, paidEvent } from '../test/notifications/events.ts';
import { asRole, createDatabase, type TestDatabase } from '../test/postgres/database.ts';
import { auditRun } from './audit.ts';

let database: TestDatabase;
let pool: ReturnType<typeof createPool>;

beforeAll(async () => {
  database = await createDatabase('plain');
  const logger = pino({ level: 'silent' });
  pool = createPool({ dsn: asRole(database.dsn, 'lab_notifications'), applicationName: 'test', logger, max: 1 });
  await withClient(database.dsn, async (client) => {
    for (const user of ['ada', 'bob']) await insertUser(client, user, `${user}@example.com`);
    await client.query(`insert into notification_preferences (user_id, email) values ('bob', false)`);
    await client.query(
      `insert into webhook_endpoints (endpoint_id, user_id, url, secret, all_users)
       values ('all', 'op', 'https://a.example/', 'whsec_x', true)`,
    );
    for (const user of ['ada', 'bob', 'guest']) await insertPaid(client, { orderId: `ord_${user}`, userId: user });
  });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const notified = async () => {
  const { invariants } = await auditRun({ dsn: database.dsn, topology: 'plain', notifies: true, stallMs: 0 });
  return invariants.find(({ id }) => id === 'notified');
};

const plan = (user: string) =>
  createPlanner({ pool, logger: pino({ level: 'silent' }), maxAgeSeconds: 60, onPlanned: () => {} }).write(
    [paidEvent({ orderId: `ord_${user}`, userId: user })],
    'token',
  );

test('each that is missing is named, and nothing is asked for that no recipient wanted', async () => {
  expect(await notified()).toMatchObject({ ok: false, checked: 4, violations: 4 });
  await plan('ada');
  await plan('guest');
  expect(await notified()).toMatchObject({
    ok: false,
    violations: 1,
    examples: [expect.stringContaining('order.paid ord_bob webhook all, 0 notifications')],
  });
  await plan('bob');
  expect(await notified()).toMatchObject({ ok: true, checked: 4, violations: 0 });
});

test('one that was taken away is found', async () => {
  await withClient(database.dsn, (client) => client.query(`delete from notifications where channel = 'email'`));
  expect(await notified()).toMatchObject({ ok: false, violations: 1 });
});
