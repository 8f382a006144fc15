import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiAnswer, type RunningApi, startApi } from '../../test/api/running-api.ts';

let api: RunningApi;
let clockMs = Date.now();
let count = 0;
const password = 'mind the difference engine';

beforeAll(async () => {
  api = await startApi({ topology: 'plain', now: () => new Date(clockMs) });
});
afterAll(() => api.close());

const post = (path: string, body: unknown): Promise<ApiAnswer> => api.call('POST', `/api/v1/auth/${path}`, { body });
const me = (token: string) => api.call('GET', '/api/v1/auth/me', { token });
const newEmail = () => `ada.${++count}@example.com`;

async function registered(): Promise<{ email: string; userId: string }> {
  const email = newEmail();
  const { status, body } = await post('register', { email, password });
  expect(status).toBe(201);
  return { email, userId: body.data.user_id };
}

async function loggedIn() {
  const user = await registered();
  const { status, headers, body } = await post('login', { email: user.email, password });
  expect({ status, stored: headers.get('cache-control') }).toEqual({ status: 200, stored: 'no-store' });
  return { ...user, ...(body.data as { access_token: string; refresh_token: string; expires_in: number }) };
}

async function kindsOf(userId: string): Promise<unknown[]> {
  const events = await api.query('select kind from security_events where user_id = $1 order by created_at', [userId]);
  return events.map(({ kind }) => kind);
}

test('register, log in, ask who I am, refresh, log out', async () => {
  const { email, userId, access_token, refresh_token, expires_in } = await loggedIn();
  expect(expires_in).toBe(900);
  expect((await me(access_token)).body.data).toEqual({
    user_id: userId,
    role: 'customer',
    email,
    created_at: expect.any(String),
  });
  const refreshed = await post('refresh', { refresh_token });
  expect(refreshed.status).toBe(200);
  expect(refreshed.body.data.refresh_token).not.toBe(refresh_token);
  expect((await me(refreshed.body.data.access_token)).status).toBe(200);
  const last = { refresh_token: refreshed.body.data.refresh_token };
  expect((await post('logout', last)).body.data).toEqual({ logged_out: true });
  expect(await post('refresh', last)).toMatchObject({ status: 401, body: { error: { code: 'invalid_credentials' } } });
  expect(await post('logout', last)).toMatchObject({ status: 200, body: { data: { logged_out: true } } });
  expect(await kindsOf(userId)).toEqual(['registered', 'logged_in', 'logged_out']);
});

test('a principal that did not register is who its token says', async () => {
  const token = await api.tokens.sign({ userId: 'lab-operator', role: 'operator' }, 60);
  expect((await me(token)).body.data).toEqual({
    user_id: 'lab-operator',
    role: 'operator',
    email: null,
    created_at: null,
  });
  expect((await api.call('GET', '/api/v1/auth/me', { token: null })).status).toBe(401);
});

test('an access token ends with its lifetime, also when the clock steps', async () => {
  const { access_token } = await loggedIn();
  clockMs += 901_000;
  expect((await me(access_token)).status).toBe(401);
  clockMs -= 1_000_000;
  expect((await me(access_token)).status).toBe(200);
  clockMs = Date.now();
});

test('a role that was given since holds from the next refresh on', async () => {
  const { userId, refresh_token } = await loggedIn();
  await api.query("update users set role = 'operator' where user_id = $1", [userId]);
  const { body } = await post('refresh', { refresh_token });
  expect((await me(body.data.access_token)).body.data.role).toBe('operator');
});

describe('passwords and addresses', () => {
  test('neither passwords nor tokens are stored as they are', async () => {
    const { refresh_token } = await loggedIn();
    const rows = JSON.stringify([
      await api.query('select * from users'),
      await api.query("select encode(token_hash, 'base64') as hash, * from sessions"),
      await api.query('select * from security_events'),
    ]);
    expect(rows).not.toContain(password);
    expect(rows).not.toContain(refresh_token.split('.')[1]);
    const [{ password_hash: hash } = {}] = await api.query('select password_hash from users limit 1');
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  });

  test('one address is one account, however it is written, and so is one password', async () => {
    const email = 'Zoë.Ärger@Bücher.example';
    const composed = 'straße über Öl'.normalize('NFC');
    expect((await post('register', { email, password: composed })).body.data.email).toBe(
      'zoë.ärger@xn--bcher-kva.example',
    );
    for (const same of ['ZOË.ÄRGER@BÜCHER.EXAMPLE', 'zoë.ärger@xn--bcher-kva.example'.normalize('NFD')]) {
      const again = await post('register', { email: same, password });
      expect({ same, status: again.status, code: again.body.error?.code }).toEqual({
        same,
        status: 409,
        code: 'email_taken',
      });
      expect((await post('login', { email: same, password: composed.normalize('NFD') })).status).toBe(200);
    }
  });

  test('of equal registrations at one time one creates the account', async () => {
    const email = newEmail();
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('register', { email, password })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
    const { user_id: userId } = answers.find(({ status }) => status === 201)!.body.data;
    expect(await kindsOf(userId)).toEqual(['registered']);
    expect(await api.query('select count(*)::int as n from users where email = $1', [email])).toEqual([{ n: 1 }]);
  });

  test.each<[string, unknown, number, string]>([
    ['a short password', { password: 'short 9 c' }, 400, 'password'],
    ['a long password', { password: 'abcde'.repeat(52) }, 400, 'password'],
    ['a password of one letter', { password: 'a'.repeat(20) }, 400, 'password'],
    ['one of the most used passwords', { password: 'PassWord123' }, 400, 'password'],
    ['the address as the password', { password: 'Grace.Hopper@example.com' }, 400, 'password'],
    ['the name in the address as the password', { password: 'grace.hopper' }, 400, 'password'],
    ['a password of 1 MB', { password: 'abcdefghij'.repeat(100_000) }, 413, 'body'],
    ['no password', { password: undefined }, 400, 'password'],
    ['a password that is a number', { password: 12_345_678_901 }, 400, 'password'],
    ['a password with NUL', { password: 'abcdefgh\u0000ij' }, 400, 'password'],
    ['an address without a domain', { email: 'grace' }, 400, 'email'],
    ['an address without a top-level domain', { email: 'grace@localhost' }, 400, 'email'],
    ['two @', { email: 'grace@hopper@example.com' }, 400, 'email'],
    ['spaces', { email: 'grace hopper@example.com' }, 400, 'email'],
    ['a line break', { email: 'grace@example.com\nBcc: all@example.com' }, 400, 'email'],
    ['an escape character', { email: 'grace\u001b@example.com' }, 400, 'email'],
    ['an endless name', { email: `${'g'.repeat(65)}@example.com` }, 400, 'email'],
    ['an endless domain', { email: `grace@${'e'.repeat(250)}.com` }, 400, 'email'],
    ['a domain that is none', { email: 'grace@-.%%' }, 400, 'email'],
    ['a role of one’s own', { role: 'admin' }, 400, 'role'],
  ])('%s is refused and named', async (_what, change, status, field) => {
    const body = { email: 'grace.hopper@example.com', password, ...(change as object) };
    const answer = await post('register', body);
    expect({ status: answer.status, field: answer.body.error.details.fields[0].field }).toEqual({ status, field });
    expect(JSON.stringify(answer.body)).not.toContain('sql');
    expect(await api.query("select from users where email like 'grace%'")).toEqual([]);
  });
});

describe('logging in', () => {
  test('a wrong password and an unknown address get the same answer', async () => {
    const { email, userId } = await registered();
    const wrong = await post('login', { email, password: `${password}!` });
    const unknown = await post('login', { email: newEmail(), password });
    expect(wrong).toMatchObject({ status: 401, body: { error: { code: 'invalid_credentials' } } });
    expect(unknown.body.error).toEqual(wrong.body.error);
    expect(wrong.headers.get('www-authenticate')).toBe('Bearer realm="payments-lab"');
    expect(await kindsOf(userId)).toEqual(['registered', 'login_failed']);
  });

  test('and after the same work: an unknown address is worth a hash too', async () => {
    const { email } = await registered();
    const timeOf = async (address: string) => {
      const started = performance.now();
      await post('login', { email: address, password: 'not this one' });
      return performance.now() - started;
    };
    const pairs: [number, number][] = [];
    for (let round = 0; round < 7; round += 1) pairs.push([await timeOf(email), await timeOf(newEmail())]);
    const median = (times: number[]) => times.sort((a, b) => a - b)[3]!;
    const known = median(pairs.map(([time]) => time));
    const unknown = median(pairs.map(([, time]) => time));
    // Without the hash it would be a tenth.
    expect(unknown / known).toBeGreaterThan(0.4);
    expect(known / unknown).toBeGreaterThan(0.4);
  });

  test('many logins at one time keep other requests waiting no longer than one of them takes', async () => {
    const { email } = await registered();
    const token = await api.tokens.sign({ userId: 'u1', role: 'customer' }, 60);
    const logins = Array.from({ length: 30 }, () => post('login', { email, password }));
    let finished = false;
    const all = Promise.all(logins).then((answers) => {
      finished = true;
      return answers;
    });
    let between = 0;
    while (!finished) {
      expect((await me(token)).status).toBe(200);
      if (!finished) between += 1;
      await delay(1);
    }
    expect(between).toBeGreaterThan(10);
    expect(new Set((await all).map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe('refresh tokens', () => {
  test('a token that was used before ends its session, and is noted', async () => {
    const { userId, refresh_token: first } = await loggedIn();
    const { body } = await post('refresh', { refresh_token: first });
    const second = body.data.refresh_token;
    expect((await post('refresh', { refresh_token: first })).status).toBe(401);
    expect((await post('refresh', { refresh_token: second })).status).toBe(401);
    expect(await kindsOf(userId)).toEqual(['registered', 'logged_in', 'refresh_reused']);
    const sessions = await api.query('select revoked_because from sessions where user_id = $1', [userId]);
    expect(sessions).toEqual([{ revoked_because: 'reused' }]);
  });

  test('other sessions of the user go on', async () => {
    const { email, refresh_token: first } = await loggedIn();
    const other = (await post('login', { email, password })).body.data.refresh_token;
    await post('refresh', { refresh_token: first });
    expect((await post('refresh', { refresh_token: first })).status).toBe(401);
    expect((await post('refresh', { refresh_token: other })).status).toBe(200);
  });

  test('of one token at ten requests at one time at most one gets a new one, and none is left that works', async () => {
    const { userId, refresh_token } = await loggedIn();
    const answers = await Promise.all(Array.from({ length: 10 }, () => post('refresh', { refresh_token })));
    const good = answers.filter(({ status }) => status === 200);
    expect(good.length).toBe(1);
    expect((await post('refresh', { refresh_token: good[0]!.body.data.refresh_token })).status).toBe(401);
    expect((await kindsOf(userId)).filter((kind) => kind === 'refresh_reused')).toEqual(['refresh_reused']);
  });

  test('a used token at logout ends the session too', async () => {
    const { refresh_token: first } = await loggedIn();
    const { body } = await post('refresh', { refresh_token: first });
    expect((await post('logout', { refresh_token: first })).status).toBe(200);
    expect((await post('refresh', { refresh_token: body.data.refresh_token })).status).toBe(401);
  });

  test('a session ends with its lifetime', async () => {
    const { userId, refresh_token } = await loggedIn();
    const [{ seconds } = {}] = await api.query(
      'select extract(epoch from expires_at - created_at)::int as seconds from sessions where user_id = $1',
      [userId],
    );
    expect(seconds).toBe(1_000);
    await api.query('update sessions set expires_at = now() where user_id = $1', [userId]);
    expect((await post('refresh', { refresh_token })).status).toBe(401);
    expect(await kindsOf(userId)).toEqual(['registered', 'logged_in']);
  });

  test.each([
    'x',
    'a.b',
    `${'0'.repeat(36)}.${'x'.repeat(43)}`,
    `6f0e4c53-9d0c-4c1f-8a11-0b9f2f4e5c1f.${'x'.repeat(43)}`,
    "6f0e4c53-9d0c-4c1f-8a11-0b9f2f4e5c1f'; drop table sessions; --",
  ])('%s is refused as any other', async (refresh_token) => {
    expect((await post('refresh', { refresh_token })).body.error.code).toBe('invalid_credentials');
    expect((await post('logout', { refresh_token })).status).toBe(200);
  });

  test.each([{}, { refresh_token: 1 }, { refresh_token: '' }, { refresh_token: 'x'.repeat(513) }])(
    '%j is no request',
    async (body) => {
      expect((await post('refresh', body)).body.error.code).toBe('invalid_request');
    },
  );
});
