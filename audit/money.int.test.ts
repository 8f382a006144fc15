import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningApi, startApi } from '../test/api/running-api.ts';
import { createDatabase, type TestDatabase } from '../test/postgres/database.ts';
import { type Invariant, runChecks } from './audit.ts';
import { loadRecord } from './recorded.ts';

/*
 * What surrounds the postings: stored answers, holds, events in the outbox, users and sessions. Each is broken by hand,
 * past triggers, in what the API has made. The postings themselves are in ledger.int.test.ts; docs/guides/ledger.md has
 * the list of both.
 */

let database: TestDatabase;
let api: RunningApi;
let client: Client;

beforeAll(async () => {
  database = await createDatabase('plain');
  api = await startApi({ topology: 'plain', dsn: database.dsn });
  await use();
  client = new Client({ connectionString: database.dsn });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await api.close();
  await database.drop();
});
beforeEach(async () => {
  await client.query('begin');
  await client.query('set local session_replication_role = replica');
});
afterEach(() => client.query('rollback'));

/** Two accounts with a transfer, a hold, a refusal and a change of status; two users with sessions alive and ended. */
async function use(): Promise<void> {
  let keys = 0;
  const post = async (path: string, body: object, status: number) => {
    keys += 1;
    const answer = await api.call('POST', `/api/v1/${path}`, { body, headers: { 'idempotency-key': `k${keys}` } });
    expect(answer.status).toBe(status);
    return answer.body.data;
  };
  const { account_id: wallet } = await post('accounts', { currency: 'EUR' }, 201);
  const { account_id: shop } = await post('accounts', { currency: 'EUR', kind: 'merchant' }, 201);
  const euros = { currency: 'EUR' };
  await post(`accounts/${wallet}/top-ups`, { amount_minor: 1_000, ...euros }, 201);
  const pay = { from_account_id: wallet, to_account_id: shop, ...euros };
  await post('transfers', { ...pay, amount_minor: 300 }, 201);
  await post('transfers', { ...pay, amount_minor: 5_000 }, 422);
  await post(`accounts/${wallet}/holds`, { amount_minor: 50, ...euros }, 201);
  await post(`accounts/${shop}/status`, { status: 'frozen' }, 200);
  for (const name of ['alice', 'bob']) {
    const who = { email: `${name}@example.org`, password: 'correct horse battery' };
    await api.call('POST', '/api/v1/auth/register', { body: who });
    const { body } = await api.call('POST', '/api/v1/auth/login', { body: who });
    const ended = await api.call('POST', '/api/v1/auth/login', { body: who });
    const token = ended.body.data.refresh_token;
    if (name === 'alice') await api.call('POST', '/api/v1/auth/logout', { body: { refresh_token: token } });
    else {
      // The second use of a token ends its session.
      await api.call('POST', '/api/v1/auth/refresh', { body: { refresh_token: token } });
      await api.call('POST', '/api/v1/auth/refresh', { body: { refresh_token: token } });
    }
    expect(body.data.refresh_token).toBeDefined();
  }
}

async function audit(): Promise<Invariant[]> {
  return (await runChecks(client, 'plain', await loadRecord(client, []))).invariants;
}

test('what the API has made is sound', async () => {
  const broken = (await audit()).filter(({ ok }) => !ok);
  expect(broken).toEqual([]);
});

type Case = [what: string, where: Invariant['id'], tampering: string, example: RegExp];

const keys: Case[] = [
  [
    'an answer to a transfer that is gone',
    'I3',
    `delete from idempotency_keys where body like '%"amount_minor":300,%'`,
    /no answer is stored/,
  ],
  [
    'an answer to a hold that is gone',
    'I3',
    `delete from idempotency_keys where body like '{"object":"hold"%'`,
    /^hold .*no answer is stored/,
  ],
  [
    'the amount in an answer',
    'I3',
    `update idempotency_keys set body = replace(body, '"amount_minor":300,', '"amount_minor":301,')`,
    /answered with transfer\|.*\|301\|/,
  ],
  [
    'the account in an answer',
    'I3',
    `update idempotency_keys set body = replace(body, '"to_account_id":"acc_', '"to_account_id":"bcc_')`,
    /answered with .*bcc_/,
  ],
  [
    'an answer that names a transfer which is not there',
    'I3',
    `update idempotency_keys set body = regexp_replace(body, '"transfer_id":"[^"]*"', '"transfer_id":"x"') where body like '%:300,%'`,
    /answered with x, which is not there/,
  ],
  [
    'an answer under a second key',
    'I3',
    `insert into idempotency_keys select principal, 'other', request_sha256, status, body, created_at
     from idempotency_keys where body like '%"amount_minor":300,%'`,
    /as another key was/,
  ],
  [
    'a refusal that was made a success',
    'I3',
    'update idempotency_keys set status = 201 where status = 422',
    /answered 201 with another body/,
  ],
  [
    'a success that was made a refusal',
    'I3',
    `update idempotency_keys set status = 422 where body like '%"amount_minor":300,%'`,
    /answered 422 with another body/,
  ],
];

const holds: Case[] = [
  [
    'a hold that was released behind the ledger',
    'I1',
    "update holds set status = 'released'",
    /50 held, but its holds are 0/,
  ],
  ['the amount of a hold', 'I1', 'update holds set amount_minor = 49', /50 held, but its holds are 49/],
  [
    'the account of a hold',
    'I1',
    "update holds set account_id = 'external:EUR'",
    /external:EUR: 0 held, but its holds are 50/,
  ],
  ['the currency of a hold', 'I1', "update holds set currency = 'USD'", /holds in another currency/],
  ['a hold that is gone', 'I1', 'delete from holds', /50 held, but its holds are 0/],
  [
    'a hold that was added',
    'I1',
    'insert into holds select gen_random_uuid(), account_id, 1, currency, status, null, created_at, updated_at from holds',
    /50 held, but its holds are 51/,
  ],
];

const outbox: Case[] = [
  [
    'an event of a transfer that is gone',
    'I5',
    "delete from outbox where event_type = 'transfer.transfer'",
    /0 outbox rows/,
  ],
  [
    'an event of a posting that is gone',
    'I5',
    "delete from outbox where aggregate_type = 'posting' and sequence = 2",
    /0 outbox rows/,
  ],
  [
    'an event twice',
    'I5',
    `insert into outbox select gen_random_uuid(), aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers, created_at
     from outbox where event_type = 'transfer.top_up'`,
    /2 outbox rows/,
  ],
  [
    'the amount in an event',
    'I5',
    `update outbox set payload = jsonb_set(payload, '{amount_minor}', '301') where event_type = 'transfer.transfer'`,
    /\|301\|EUR/,
  ],
  [
    'the balance in an event',
    'I5',
    `update outbox set payload = jsonb_set(payload, '{after,amount_minor}', '1') where aggregate_type = 'posting'`,
    /posting .* saying/,
  ],
  [
    'the hash in an event',
    'I5',
    `update outbox set payload = jsonb_set(payload, '{hash}', '"00"') where aggregate_type = 'posting'`,
    /\|00, 0 in the ledger/,
  ],
  [
    'the user of an event',
    'I5',
    `update outbox set user_id = 'mallory' where event_type = 'transfer.transfer'`,
    /of mallory saying/,
  ],
  ['the number of an event', 'I5', `update outbox set sequence = 9 where aggregate_type = 'posting'`, /#9/],
  [
    'an event of a transfer that never was',
    'I5',
    `insert into outbox select gen_random_uuid(), aggregate_type, gen_random_uuid(), user_id, sequence, event_type, payload, headers, created_at
     from outbox where event_type = 'transfer.transfer'`,
    /0 in the ledger, 1 outbox rows/,
  ],
  [
    'the status of an account',
    'I5',
    `update accounts set status = 'active'`,
    /newest says frozen, account at 2 and active/,
  ],
  [
    'the kind of an account',
    'I5',
    `update accounts set kind = 'fees' where kind = 'merchant'`,
    /account.opened .*fees/,
  ],
  [
    'a chain that was written anew, hashes included, from the newest posting',
    'I5',
    `with last as (
       select p.account_id, p.sequence, p.balance_minor,
         sha256(b.hash || convert_to(p.account_id || '|' || p.sequence || '|' || p.transfer_id || '|' || p.amount_minor || '|EUR|'
           || p.balance_minor || '|' || trunc(extract(epoch from p.created_at + interval '1 s') * 1000), 'UTF8')) as hash
       from postings p join postings b on b.account_id = p.account_id and b.sequence = 1 where p.sequence = 2 and p.account_id like 'acc_%'
     ), posted as (
       update postings p set hash = l.hash, created_at = created_at + interval '1 s' from last l
       where p.account_id = l.account_id and p.sequence = l.sequence
     )
     update accounts a set chain_hash = l.hash from last l where a.account_id = l.account_id`,
    /posting acc_.* #2/,
  ],
];

const access: Case[] = [
  [
    'a session that the log does not know',
    'state',
    "delete from security_events where kind = 'logged_in'",
    /0 logins in the log/,
  ],
  [
    'a session of another user',
    'state',
    `update sessions set user_id = (select user_id from users where email like 'bob%')
     where user_id = (select user_id from users where email like 'alice%')`,
    /opened by/,
  ],
  [
    'a session that lives again after a logout',
    'state',
    "update sessions set revoked_at = null, revoked_because = null where revoked_because = 'logged_out'",
    /alive, and the log says/,
  ],
  [
    'a session that lives again after the reuse of a token',
    'state',
    "update sessions set revoked_at = null, revoked_because = null where revoked_because = 'reused'",
    /alive, and the log says/,
  ],
  [
    'a session that was ended behind the log',
    'state',
    "update sessions set revoked_at = now(), revoked_because = 'reused' where revoked_at is null",
    /a reuse that is not in the log/,
  ],
  [
    'a refresh token of another session',
    'state',
    'update sessions set token_hash = (select token_hash from sessions order by session_id limit 1)',
    /the token of another session/,
  ],
  [
    'a time of refreshing',
    'state',
    "update sessions set refreshed_at = expires_at + interval '1 s'",
    /refreshed outside/,
  ],
  ['a user that is gone', 'state', "delete from users where email like 'bob%'", /in the log, and not there/],
  [
    'a user that never registered',
    'state',
    "insert into users (user_id, email, password_hash) values ('m', 'm@example.org', '$argon2id$x')",
    /user m: registered 0 times/,
  ],
  ['a password that is no hash', 'state', "update users set password_hash = 'secret'", /no Argon2id hash/],
];

describe('finds', () => {
  test.each([...keys, ...holds, ...outbox, ...access])('%s', async (_what, where, tampering, example) => {
    await client.query(tampering);
    const found = (await audit()).find(({ id }) => id === where)!;
    expect(found.ok).toBe(false);
    expect(found.examples.join('\n')).toMatch(example);
  });
});
