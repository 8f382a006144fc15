// Longer than 300 lines because every fault meets the same queue, with a mail server and a merchant beside it.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPool } from '../../kernel/postgres/pool.ts';
import { insertUser, paidEvent } from '../../test/notifications/events.ts';
import { startMailServer, type TestMailServer } from '../../test/notifications/mail-server.ts';
import { asRole, createDatabase, type TestDatabase } from '../../test/postgres/database.ts';
import { createMailer } from '../email/mailer.ts';
import type { Channel, Claimed, Outcome } from '../notification.ts';
import { createPlanner } from '../plan/plan.ts';
import { createQueue, type Queue } from '../queue/queue.ts';
import { createWebhookSender } from '../webhook/sender.ts';
import { createDeliverer } from './deliver.ts';

const logger = pino({ level: 'silent' });
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const poll = { timeout: 30_000, interval: 20 };

let database: TestDatabase;
let pool: ReturnType<typeof createPool>;
let admin: ReturnType<typeof createPool>;
let queue: Queue;
let mails: TestMailServer;
let stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  database = await createDatabase('plain');
  pool = createPool({ dsn: asRole(database.dsn, 'lab_notifications'), applicationName: 'test', logger });
  admin = createPool({ dsn: database.dsn, applicationName: 'admin', logger, max: 2 });
  queue = createQueue(pool);
  await insertUser(admin, 'usr_ada', 'ada@example.com');
});
afterAll(async () => {
  await pool.end();
  await admin.end();
  await database.drop();
});

beforeEach(async () => {
  mails = await startMailServer();
  await admin.query('delete from notifications');
  await admin.query('delete from webhook_endpoints');
  await admin.query('delete from notification_preferences');
});
afterEach(async () => {
  for (const stop of stops) await stop();
  stops = [];
  await mails.close();
});

const planner = (maxAgeSeconds = 3_600) => createPlanner({ pool, logger, maxAgeSeconds, onPlanned: () => {} });
const plan = (...orders: string[]) =>
  planner().write(
    orders.map((orderId) => paidEvent({ orderId, userId: 'usr_ada' })),
    'token',
  );

function run(channel: Channel, send: (one: Claimed) => Promise<Outcome>, more: { maxAttempts?: number } = {}) {
  const ending = new AbortController();
  const deliverer = createDeliverer({
    channel,
    queue,
    send,
    concurrency: 4,
    maxAttempts: 3,
    backoffMs: 5,
    leaseSeconds: 30,
    pollMs: 20,
    random: () => 0,
    logger,
    onOutcome: () => {},
    ...more,
  });
  const ran = deliverer.run(ending.signal);
  const stop = async (): Promise<void> => {
    ending.abort();
    await ran;
  };
  stops.push(stop);
  return stop;
}

const mailer = (timeoutMs = 10_000) => createMailer({ smtpUrl: mails.url, from: 'shop@lab.example', timeoutMs });

async function states(): Promise<Record<string, unknown>[]> {
  const { rows } = await admin.query(
    'select channel, status, attempts, last_error from notifications order by channel, fact, recipient_id',
  );
  return rows;
}

const ended = (status: string) =>
  expect
    .poll(async () => (await states()).every((row) => row.status === status), { ...poll, message: status })
    .toBe(true);

describe('planning', () => {
  test('the same events again, and other events that tell the same, plan nothing more', async () => {
    await plan('o1', 'o2');
    await plan('o2', 'o1', 'o1');
    await Promise.all([plan('o3'), plan('o3'), plan('o3')]);
    expect(await states()).toHaveLength(3);
  });

  test('without an address, with mails switched off, or when it is too old, no mail is sent', async () => {
    await planner().write([paidEvent({ orderId: 'o1', userId: 'usr_unknown' })], 'token');
    expect(await states()).toEqual([]);
    await planner().write([paidEvent({ orderId: 'o2', userId: 'usr_ada', at: '2020-01-01T00:00:00Z' })], 'token');
    expect(await states()).toMatchObject([{ status: 'expired' }]);
    await admin.query(`insert into notification_preferences (user_id, email) values ('usr_ada', false)`);
    await plan('o3');
    expect(await states()).toHaveLength(1);
  });

  test('endpoints of the user and those that watch all users are told, disabled ones are not', async () => {
    await admin.query(
      `insert into webhook_endpoints (endpoint_id, user_id, url, secret, all_users, status) values
         ('own', 'usr_ada', 'https://a.example/', $1, false, 'active'),
         ('all', 'op_1', 'https://b.example/', $1, true, 'active'),
         ('other', 'usr_bob', 'https://c.example/', $1, false, 'active'),
         ('disabled', 'usr_ada', 'https://d.example/', $1, false, 'disabled')`,
      [secret],
    );
    await plan('o1');
    const { rows } = await admin.query(`select recipient_id from notifications where channel = 'webhook' order by 1`);
    expect(rows.map(({ recipient_id }) => recipient_id)).toEqual(['all', 'own']);
  });

  test('an event that cannot be read is refused alone, with its kind of error', async () => {
    const broken = paidEvent({ orderId: 'o1', userId: 'usr_ada' });
    broken.envelope.payload = '[1]';
    await expect(planner().write([broken], 'token')).rejects.toThrow('the payload is not a JSON object');
  });
});

describe('mails', () => {
  test('text and HTML in the language of the user, to its address, once', async () => {
    await admin.query(`insert into notification_preferences (user_id, language) values ('usr_ada', 'de')`);
    await plan('o1');
    run('email', mailer());
    run('email', mailer());
    await ended('sent');
    expect(mails.mails).toHaveLength(1);
    const [mail] = mails.mails;
    expect(mail).toMatchObject({ subject: 'Bestellung o1 ist bezahlt', to: 'ada@example.com' });
    expect(mail!.text).toContain('49,90');
    expect(mail!.html).toContain('49,90');
    expect(mail!.headers.get('auto-submitted')).toBe('auto-generated');
  });

  test('100 mails by two processes: each arrives once', async () => {
    const orders = Array.from({ length: 100 }, (_, at) => `o${at}`);
    await plan(...orders);
    run('email', mailer());
    run('email', mailer());
    await ended('sent');
    expect([...mails.byId().values()]).toEqual(orders.map(() => 1));
  });

  test('a server that is away costs no try, and what waited is sent when it is back', async () => {
    const { port } = mails;
    await mails.close();
    await plan('o1', 'o2');
    run('email', mailer());
    await expect.poll(async () => (await states()).some((row) => row.last_error !== null), poll).toBe(true);
    expect((await states()).map(({ status, attempts }) => [status, attempts])).toEqual([
      ['pending', 0],
      ['pending', 0],
    ]);
    mails = await startMailServer(port);
    await ended('sent');
    expect(mails.mails).toHaveLength(2);
  });

  test('a server that does not greet in time is away', async () => {
    mails.mode = 'greet-late';
    await plan('o1');
    const stop = run('email', mailer(100));
    await expect.poll(async () => (await states())[0]?.last_error, poll).not.toBe(null);
    await stop();
    expect(await states()).toMatchObject([{ status: 'pending', attempts: 0 }]);
    mails.mode = 'take';
    run('email', mailer());
    await ended('sent');
  });

  test('4xx is tried again, so many times, and ends among the dead letters; a replay sends it', async () => {
    mails.mode = 'busy';
    await plan('o1');
    run('email', mailer());
    await ended('dead');
    expect(await states()).toMatchObject([{ attempts: 3, last_error: expect.stringContaining('mailbox busy') }]);
    mails.mode = 'take';
    await admin.query(
      `update notifications set status = 'pending', attempts = 0, finished_at = null, next_attempt_at = now()`,
    );
    await ended('sent');
    expect(mails.mails).toHaveLength(1);
  });

  test.each(['unknown-user', 'refuse-content'] as const)('5xx (%s) is not tried again', async (mode) => {
    mails.mode = mode;
    await plan('o1');
    run('email', mailer());
    await ended('dead');
    expect(await states()).toMatchObject([{ attempts: 1 }]);
  });

  test('a server that takes a mail and does not answer gets it again under the same Message-ID', async () => {
    mails.mode = 'hold';
    await plan('o1');
    const stop = run('email', mailer(1_000));
    await expect.poll(async () => (await states())[0]?.attempts, poll).toBe(1);
    await stop();
    mails.mode = 'take';
    const held = mails.mails.length;
    run('email', mailer());
    await ended('sent');
    expect([...mails.byId().values()]).toEqual([held + 1]);
  });

  test('a claim that ran out is not the late process’s to end', async () => {
    await plan('o1');
    const [first] = await queue.claim('email', 1, 0);
    const [second] = await queue.claim('email', 1, 60);
    expect(second!.claims).toBe(first!.claims + 1);
    expect(await queue.finish(first!, 'sent', null, true)).toBe(false);
    expect(await queue.finish(second!, 'sent', null, true)).toBe(true);
  });
});

describe('webhooks', () => {
  let merchant: Server;
  let target: string;
  let received: { headers: IncomingMessage['headers']; body: string }[];
  let answer: (response: ServerResponse) => void;

  beforeEach(async () => {
    received = [];
    answer = (response) => response.writeHead(204).end();
    merchant = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      received.push({ headers: request.headers, body });
      answer(response);
    });
    await new Promise<void>((resolve) => merchant.listen(0, '127.0.0.1', resolve));
    target = `127.0.0.1:${(merchant.address() as AddressInfo).port}`;
    await addEndpoint(`http://${target}/hook`);
  });
  afterEach(async () => {
    merchant.closeAllConnections();
    await new Promise((resolve) => merchant.close(resolve));
  });

  const addEndpoint = (url: string) =>
    admin.query(
      `insert into webhook_endpoints (endpoint_id, user_id, url, secret) values ('whk_1', 'usr_ada', $1, $2)
       on conflict (endpoint_id) do update set url = excluded.url`,
      [url, secret],
    );
  const sender = (allowedTargets = [target], resolve?: Parameters<typeof createWebhookSender>[0]['resolve']) =>
    createWebhookSender({ allowedTargets, timeoutMs: 1_000, now: () => new Date(), ...(resolve && { resolve }) });
  const outcome = () =>
    expect.poll(async () => (await states()).find((row) => row.channel === 'webhook')?.status, poll);

  test('signed by the scheme of Standard Webhooks, under an id that stays the same', async () => {
    let tries = 0;
    answer = (response) => {
      tries += 1;
      response.writeHead(tries < 3 ? 500 : 200).end();
    };
    await plan('o1');
    run('webhook', sender());
    await outcome().toBe('sent');
    expect(received).toHaveLength(3);
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    for (const { headers, body } of received) {
      const signed = new Webhook(secret).verify(body, headers as Record<string, string>);
      expect(signed).toMatchObject({
        type: 'order.paid',
        data: { order_id: 'o1', user_id: 'usr_ada', amount_minor: 4_990, currency: 'EUR' },
      });
    }
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ['an error', (response) => response.writeHead(500).end()],
    ['a refusal', (response) => response.writeHead(400).end('no')],
    ['a redirect', (response) => response.writeHead(302, { location: `http://${target}/elsewhere` }).end()],
    ['no answer', () => {}],
    ['an answer without end', (response) => response.writeHead(200).write('x')],
    ['a broken connection', (response) => response.destroy()],
  ])('%s is tried so many times and no more', async (_what, behave) => {
    answer = behave;
    await plan('o1');
    run('webhook', sender());
    await outcome().toBe('dead');
    expect(received).toHaveLength(3);
  });

  test('an endpoint that is away does not hold up the mails', async () => {
    await new Promise((resolve) => merchant.close(resolve));
    await plan('o1');
    run('webhook', sender());
    run('email', mailer());
    await outcome().toBe('dead');
    await expect.poll(states, poll).toMatchObject([
      { channel: 'email', status: 'sent' },
      { channel: 'webhook', attempts: 3 },
    ]);
  });

  test('410 disables the endpoint, and what waits for it is canceled', async () => {
    answer = (response) => response.writeHead(410).end();
    await plan('o1');
    run('webhook', sender());
    await outcome().toBe('dead');
    await plan('o2');
    expect((await states()).filter(({ channel }) => channel === 'webhook')).toHaveLength(1);
    await admin.query(
      `update notifications set status = 'pending', finished_at = null, next_attempt_at = now() where channel = 'webhook'`,
    );
    await outcome().toBe('canceled');
    expect(received).toHaveLength(1);
  });

  test('a private address is refused without a request, also where a name leads to it', async () => {
    await plan('o1');
    const inside = sender([], async () => [{ address: '127.0.0.1', family: 4 }]);
    run('webhook', inside);
    await outcome().toBe('dead');
    expect((await states()).find((row) => row.channel === 'webhook')).toMatchObject({ attempts: 1 });
    await addEndpoint('https://shop.example.com/hook');
    await plan('o2');
    await expect
      .poll(
        async () => (await states()).filter((row) => row.channel === 'webhook' && row.status === 'dead').length,
        poll,
      )
      .toBe(2);
    expect(received).toEqual([]);
  });

  test('a name that leads elsewhere when it is asked again: the address that was checked is the one', async () => {
    const { port } = merchant.address() as AddressInfo;
    let asked = 0;
    const rebinding = async () => {
      asked += 1;
      // The first answer is checked; a second look-up would lead to an address where nothing listens.
      return [{ address: asked === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }];
    };
    await addEndpoint(`http://shop.example.com:${port}/hook`);
    await plan('o1');
    run('webhook', sender([`shop.example.com:${port}`], rebinding), { maxAttempts: 1 });
    await outcome().toBe('sent');
    expect({ asked, received: received.length }).toEqual({ asked: 1, received: 1 });
  });
});
