import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ApiAnswer, type RunningApi, startApi } from '../../test/api/running-api.ts';

let api: RunningApi;

beforeAll(async () => {
  api = await startApi({ topology: 'plain' });
});
afterAll(() => api.close());
beforeEach(async () => {
  for (const table of ['notifications', 'webhook_endpoints', 'notification_preferences']) {
    await api.query(`delete from ${table}`);
  }
});

async function as(userId: string, method: string, path: string, body?: object): Promise<ApiAnswer> {
  const token = await api.tokens.sign({ userId, role: userId.startsWith('op_') ? 'operator' : 'customer' }, 60);
  return api.call(method, `/api/v1${path}`, { token, ...(body && { body }) });
}

const addRow = (id: number, status: string) =>
  api.query(
    `insert into notifications
       (notification_id, type, fact, event_id, user_id, channel, recipient_id, language, data, occurred_at, status,
        attempts, last_error, finished_at)
     values (('00000000-0000-4000-8000-' || lpad($1::text, 12, '0'))::uuid, 'order.paid', $1::text, gen_random_uuid(), 'usr_1',
             'email', 'usr_1', 'en', '{}', now(), $2, 8, 'busy', case when $2 = 'pending' then null else now() end)`,
    [id, status],
  );

describe('preferences', () => {
  test('what is left out stays, and what was never chosen has a default', async () => {
    const standard = { user_id: 'usr_1', language: 'en', email: true, webhook: true, updated_at: null };
    expect((await as('usr_1', 'GET', '/notifications/preferences')).body.data).toEqual(standard);
    await as('usr_1', 'POST', '/notifications/preferences', { language: 'de' });
    const changed = await as('usr_1', 'POST', '/notifications/preferences', { email: false });
    expect(changed.body.data).toMatchObject({ language: 'de', email: false, webhook: true });
    expect((await as('usr_1', 'GET', '/notifications/preferences')).body.data).toEqual(changed.body.data);
    expect((await as('usr_2', 'GET', '/notifications/preferences')).body.data).toMatchObject({ email: true });
  });

  test.each([{ language: 'fr' }, { email: 'yes' }, { sms: true }])('%j is refused by its field', async (body) => {
    const answer = await as('usr_1', 'POST', '/notifications/preferences', body);
    expect([answer.status, answer.body.error.details.fields[0].field]).toEqual([400, Object.keys(body)[0]]);
  });
});

describe('endpoints', () => {
  test('the secret is told once, and deleting disables', async () => {
    const added = await as('usr_1', 'POST', '/webhook-endpoints', { url: 'https://shop.example.com/hook' });
    expect([added.status, added.headers.get('cache-control')]).toEqual([201, 'no-store']);
    expect(added.body.data.secret).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
    const listed = await as('usr_1', 'GET', '/webhook-endpoints');
    expect(listed.body.data).toMatchObject([{ url: 'https://shop.example.com/hook', status: 'active' }]);
    expect(JSON.stringify(listed.body)).not.toContain('whsec_');
    const removed = await as('usr_1', 'DELETE', `/webhook-endpoints/${added.body.data.endpoint_id}`);
    expect(removed.body.data.status).toBe('disabled');
  });

  test.each([
    'http://shop.example.com/hook',
    'https://127.0.0.1/hook',
    'https://[::1]/hook',
    'https://10.0.0.1/hook',
    'https://169.254.169.254/latest',
    'https://localhost/hook',
    'https://user:secret@shop.example.com/hook',
    'http://127.0.0.1:5432/',
    'ftp://shop.example.com/hook',
    'https://',
    'shop',
  ])('%s is no endpoint', async (url) => {
    const answer = await as('usr_1', 'POST', '/webhook-endpoints', { url });
    expect(answer.body.error.details.fields).toEqual([{ field: 'url', reason: expect.stringContaining('must') }]);
    expect(answer.status).toBe(400);
  });

  test('a target that the operator has allowed may be private', async () => {
    const answer = await as('usr_1', 'POST', '/webhook-endpoints', { url: 'http://127.0.0.1:8025/webhooks/shop' });
    expect(answer.status).toBe(201);
  });

  test('only an operator watches all users, and ten endpoints are enough, also of requests at one time', async () => {
    const body = { url: 'https://shop.example.com/hook', all_users: true };
    expect((await as('usr_1', 'POST', '/webhook-endpoints', body)).status).toBe(403);
    expect((await as('op_1', 'POST', '/webhook-endpoints', body)).status).toBe(201);
    const own = { url: 'https://shop.example.com/hook' };
    const answers = await Promise.all(Array.from({ length: 14 }, () => as('usr_1', 'POST', '/webhook-endpoints', own)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
    expect(answers.find(({ status }) => status !== 201)?.body.error.code).toBe('too_many_endpoints');
  });

  test('pages follow one another', async () => {
    for (let at = 0; at < 5; at += 1)
      await as('usr_1', 'POST', '/webhook-endpoints', { url: `https://a.example/${at}` });
    const first = (await as('usr_1', 'GET', '/webhook-endpoints?limit=3')).body;
    const second = (await as('usr_1', 'GET', `/webhook-endpoints?limit=3&cursor=${first.page.next_cursor}`)).body;
    const urls = [...first.data, ...second.data].map(({ url }: { url: string }) => url);
    expect(urls).toEqual([0, 1, 2, 3, 4].map((at) => `https://a.example/${at}`));
  });
});

describe('notifications', () => {
  test('a user sees its own, newest first, by status and page', async () => {
    for (let id = 1; id <= 5; id += 1) await addRow(id, id === 3 ? 'dead' : 'sent');
    const first = (await as('usr_1', 'GET', '/notifications?limit=2')).body;
    const rest = (await as('usr_1', 'GET', `/notifications?cursor=${first.page.next_cursor}`)).body;
    expect([...first.data, ...rest.data]).toHaveLength(5);
    expect((await as('usr_2', 'GET', '/notifications')).body.data).toEqual([]);
    const dead = (await as('op_1', 'GET', '/notifications?status=dead')).body.data;
    expect(dead).toMatchObject([{ status: 'dead', attempts: 8, last_error: 'busy' }]);
    expect((await as('usr_1', 'GET', '/notifications?status=lost')).status).toBe(400);
  });

  test('a dead letter is sent again, by an operator, once', async () => {
    await addRow(1, 'dead');
    await addRow(2, 'sent');
    const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
    expect((await as('usr_1', 'POST', `/notifications/${id(1)}/replay`)).status).toBe(403);
    expect((await as('op_1', 'POST', `/notifications/${id(1)}/replay`)).status).toBe(200);
    const [row] = await api.query('select status, attempts, finished_at from notifications order by fact');
    expect(row).toEqual({ status: 'pending', attempts: 0, finished_at: null });
    for (const none of [1, 2, 3])
      expect((await as('op_1', 'POST', `/notifications/${id(none)}/replay`)).status).toBe(404);
    expect((await as('op_1', 'POST', '/notifications/x/replay')).status).toBe(400);
  });
});
