import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningApi, startApi } from '../../test/api/running-api.ts';
import { createDatabase, type TestDatabase } from '../../test/postgres/database.ts';

const loginLimits = { perAccount: 5, perAddress: 20, windowSeconds: 600 };
const password = 'mind the difference engine';
let database: TestDatabase;
let api: RunningApi;

beforeAll(async () => {
  database = await createDatabase('plain');
  api = await startApi({ topology: 'plain', dsn: database.dsn, loginLimits });
});
afterAll(async () => {
  await api.close();
  await database.drop();
});

const post = (path: string, body: unknown, at = api) => at.call('POST', `/api/v1/auth/${path}`, { body });
const wrong = (email: string, at = api) => post('login', { email, password: 'not this one' }, at);

async function register(email: string): Promise<void> {
  expect((await post('register', { email, password })).status).toBe(201);
}
const forget = () => api.query('delete from login_throttles');
const throttledEvents = async () =>
  (await api.query("select count(*)::int as n from security_events where kind = 'throttled'"))[0]!.n;

test('an account is locked after too many failures at one time, for a known user and an unknown one', async () => {
  await forget();
  await register('known@example.com');
  const before = Number(await throttledEvents());
  for (const email of ['known@example.com', 'unknown@example.com']) {
    const statuses = (await Promise.all(Array.from({ length: 9 }, () => wrong(email)))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([...Array(5).fill(401), ...Array(4).fill(429)]);
    await api.query("delete from login_throttles where key like 'address:%'");
  }
  const right = await post('login', { email: 'known@example.com', password });
  expect(right).toMatchObject({ status: 429, body: { error: { code: 'rate_limited' } } });
  const seconds = Number(right.headers.get('retry-after'));
  expect(seconds).toBeGreaterThan(500);
  expect(seconds).toBeLessThanOrEqual(600);
  // One line in the log for each lock, however many attempts meet it.
  expect(Number(await throttledEvents()) - before).toBe(2);
});

test('another process knows of it, and one that was started since', async () => {
  await forget();
  for (let attempt = 0; attempt < 5; attempt += 1) await wrong('known@example.com');
  const other = await startApi({ topology: 'plain', dsn: database.dsn, loginLimits });
  try {
    expect((await wrong('known@example.com', other)).status).toBe(429);
  } finally {
    await other.close();
  }
});

test('a window ends, also where the clock was set back since', async () => {
  await forget();
  for (let attempt = 0; attempt < 6; attempt += 1) await wrong('known@example.com');
  for (const end of ["now() - interval '1 second'", "now() + interval '2 days'"]) {
    await api.query(`update login_throttles set attempts = 6, window_ends_at = ${end}`);
    expect((await post('login', { email: 'known@example.com', password })).status).toBe(200);
  }
});

test('an attempt that began earlier and is counted later does not start the count again', async () => {
  await forget();
  const count = await readFile(new URL('store/sql/count_attempts.sql', import.meta.url), 'utf8');
  const earlier = new pg.Client({ connectionString: database.dsn });
  await earlier.connect();
  try {
    // The transaction's time is that of its beginning.
    await earlier.query('begin');
    for (let attempt = 0; attempt < 3; attempt += 1) await wrong('known@example.com');
    const [key] = await api.query("select key from login_throttles where key like 'account:%'");
    const counted = await earlier.query(count, [[key!.key], loginLimits.windowSeconds]);
    expect(counted.rows[0].attempts).toBe(4);
    await earlier.query('commit');
  } finally {
    await earlier.end();
  }
});

test('who logs in is forgiven, so that good passwords are not counted', async () => {
  await forget();
  for (let round = 0; round < 8; round += 1) {
    expect((await wrong('known@example.com')).status).toBe(401);
    expect((await post('login', { email: 'known@example.com', password })).status).toBe(200);
  }
  const rows = await api.query('select split_part(key, $1, 1) as kind, attempts from login_throttles order by 1', [
    ':',
  ]);
  expect(rows).toEqual([
    { kind: 'account', attempts: 0 },
    { kind: 'address', attempts: 8 },
  ]);
});

test('an address is locked over many accounts, and registers no more than so many', async () => {
  await forget();
  const emails = Array.from({ length: 25 }, (_unused, index) => `many.${index}@example.com`);
  const logins = (await Promise.all(emails.map((email) => wrong(email)))).map(({ status }) => status);
  expect(logins.sort()).toEqual([...Array(20).fill(401), ...Array(5).fill(429)]);
  const registrations = await Promise.all(emails.map((email) => post('register', { email, password })));
  expect(registrations.map(({ status }) => status).sort()).toEqual([...Array(20).fill(201), ...Array(5).fill(429)]);
});

test('what is counted names no person', async () => {
  await forget();
  await wrong('known@example.com');
  expect(JSON.stringify(await api.query('select key from login_throttles'))).not.toContain('known');
});
