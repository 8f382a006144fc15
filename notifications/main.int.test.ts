import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { withClient } from '../kernel/postgres/with-client.ts';
import { type PostgresServer, startPostgres } from '../runtime/native/postgres.ts';
import { throwawaySettings } from '../runtime/native/postgres-settings.ts';
import { createRunDirectory, type RunDirectory } from '../runtime/native/run-directory.ts';
import { type Service, startService } from '../runtime/native/service.ts';
import { migrate } from '../sql/migrate.ts';
import { insertPaid, insertUser } from '../test/notifications/events.ts';
import { startMailServer, type TestMailServer } from '../test/notifications/mail-server.ts';

const poll = { timeout: 30_000, interval: 50 };

let run: RunDirectory;
let server: PostgresServer;
let dsn: string;
let mails: TestMailServer;
let services: Service[] = [];
let orders = 0;

beforeAll(async () => {
  run = await createRunDirectory();
  server = await startPostgres({ runDirectory: run.path, name: 'primary', settings: throwawaySettings });
  dsn = server.dsn();
  await migrate({ dsn, topology: 'partitioned' });
  await withClient(dsn, async (client) => {
    await client.query(`alter role lab_cdc login password 'test'`);
    await client.query(`alter role lab_notifications login password 'test'`);
    await insertUser(client, 'usr_ada', 'ada@example.com');
  });
});
afterAll(() => run.close());

beforeEach(async () => {
  mails = await startMailServer();
  await query('delete from notifications');
});
afterEach(async () => {
  await Promise.all(services.map((service) => service.stop()));
  services = [];
  await mails.close();
});

async function query(text: string): Promise<Record<string, unknown>[]> {
  return withClient(dsn, async (client) => (await client.query(text)).rows);
}

async function start(more: Record<string, string> = {}): Promise<Service> {
  const service = await startService({
    name: `notifications-${services.length + 1}`,
    entry: path.join(import.meta.dirname, 'main.ts'),
    runDirectory: run.path,
    readyTimeoutMs: 30_000,
    environment: (port) => ({
      TOPOLOGY: 'partitioned',
      NOTIFICATIONS_PORT: String(port),
      DATABASE_URL: server.dsn('postgres', 'lab_notifications', 'test'),
      SOURCE_DATABASE_URL: server.dsn('postgres', 'lab_cdc', 'test'),
      SMTP_URL: mails.url,
      CDC_WATCH_MS: '200',
      SEND_TIMEOUT_MS: '2000',
      NOTIFICATIONS_POLL_MS: '100',
      NOTIFICATIONS_BACKOFF_MS: '50',
      ...more,
    }),
  });
  services.push(service);
  return service;
}

/** Writes events of orders that were paid. */
async function pay(count: number): Promise<void> {
  await withClient(dsn, async (client) => {
    for (let one = 0; one < count; one += 1) {
      orders += 1;
      await insertPaid(client, { orderId: `ord_${orders}`, userId: 'usr_ada' });
    }
  });
}

const status = async (service: Service) =>
  ((await (await fetch(`${service.url}/status`)).json()) as { data: Record<string, unknown> }).data;
const sent = async () => Number((await query(`select count(*) from notifications where status = 'sent'`))[0]!.count);
const arrived = (count: number) => expect.poll(() => mails.byId().size, poll).toBe(count);
const marked = (count: number) => expect.poll(sent, poll).toBe(count);
const copies = () => [...mails.byId().values()];

test('an event of the outbox becomes one mail, and the process tells how it stands', async () => {
  const service = await start();
  await pay(3);
  await marked(3);
  expect(copies()).toEqual([1, 1, 1]);
  expect(await status(service)).toMatchObject({
    engine: 'native',
    state: 'streaming',
    alarm: null,
    channels: { email: { pending: 0, dead: 0, outage: null }, webhook: { pending: 0, dead: 0, outage: null } },
  });
  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  expect(metrics).toMatch(/notifications_total\{[^}]*outcome="sent"[^}]*\} 3/);
});

test('killed between the server’s taking a mail and its mark: one more copy, under the same Message-ID', async () => {
  const service = await start();
  mails.mode = 'hold';
  await pay(1);
  await arrived(1);
  service.kill('SIGKILL');
  mails.mode = 'take';
  await service.restart();
  await marked(1);
  expect(copies()).toEqual([2]);
});

test('killed before it has sent anything: each mail comes once', async () => {
  const { port } = mails;
  await mails.close();
  const service = await start();
  await pay(5);
  await expect.poll(async () => (await query('select from notifications')).length, poll).toBe(5);
  service.kill('SIGKILL');
  mails = await startMailServer(port);
  await service.restart();
  await marked(5);
  expect(copies()).toEqual([1, 1, 1, 1, 1]);
});

test('two processes share the work, and the one that is left goes on with the stream', async () => {
  const first = await start();
  await start();
  await pay(20);
  await marked(20);
  first.kill('SIGKILL');
  await pay(10);
  await marked(30);
  expect(copies()).toEqual(Array.from({ length: 30 }, () => 1));
});

test('a stream that begins anew brings what was sent, and nothing is sent again', async () => {
  const service = await start();
  await pay(4);
  await marked(4);
  await service.stop();
  await expect.poll(async () => (await query('select from pg_replication_slots where active')).length, poll).toBe(0);
  await query(`select pg_drop_replication_slot('lab_notifications')`);
  const before = orders;
  await pay(1);
  await start({ CDC_ON_LOST_SLOT: 'reload' });
  await expect
    .poll(
      async () =>
        (await query(`select from notifications where fact = 'ord_${before + 1}' and status = 'sent'`)).length,
      poll,
    )
    .toBe(1);
  const mine = [...Array(5).keys()].map((at) => `ord_${orders - at}`);
  const own = mails.mails.filter(({ subject = '' }) => mine.some((order) => subject.includes(`${order} `)));
  expect(own).toHaveLength(5);
});

test('a slot that was dropped ends in an alarm', async () => {
  const service = await start();
  await service.stop();
  await expect.poll(async () => (await query('select from pg_replication_slots where active')).length, poll).toBe(0);
  await query(`select pg_drop_replication_slot('lab_notifications')`);
  await expect(start({ CDC_ALARM_HOLD_MS: '0' })).rejects.toThrow(/exit status 4|slot_missing/);
});
