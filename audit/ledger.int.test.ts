import { Client, type Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPool } from '../kernel/postgres/pool.ts';
import type { Command } from '../ledger/command.ts';
import { createLedger } from '../ledger/ledger.ts';
import { oneServerLedger } from '../ledger/store/one-server.ts';
import { asRole, createDatabase, type TestDatabase } from '../test/postgres/database.ts';
import { runChecks } from './audit.ts';
import { loadRecord } from './recorded.ts';

/* I1: each part of it is broken by hand, in sound data that the ledger has made, past its triggers and constraints. */

let database: TestDatabase;
let client: Client;
let pool: Pool;

beforeAll(async () => {
  database = await createDatabase('plain');
  pool = createPool({
    dsn: asRole(database.dsn, 'lab_api'),
    applicationName: 'ledger-audit',
    logger: pino({ level: 'silent' }),
    max: 2,
    pipeline: true,
  });
  await book();
  client = new Client({ connectionString: database.dsn });
  await client.connect();
  await client.query('alter table accounts drop constraint accounts_within_overdraft');
});
afterAll(async () => {
  await client.end();
  await pool.end();
  await database.drop();
});
beforeEach(async () => {
  await client.query('begin');
  await client.query('set local session_replication_role = replica');
});
afterEach(() => client.query('rollback'));

/** Wallets a, b, and c in dollars; a merchant for which the last transfer waits; a hold of 5 on b. */
async function book(): Promise<void> {
  const now = new Date();
  const store = oneServerLedger({ pool, ledgerPool: pool, deltas: true, now: () => new Date() });
  const ledger = createLedger({ store, strategy: 'deltas', now: () => new Date(), maxBatch: 1, maxQueue: 1 });
  const open = (account_id: string, currency = 'EUR', kind: 'wallet' | 'merchant' = 'wallet') =>
    store.open({ account_id, user_id: 'u', currency, kind, overdraft_limit_minor: 0n, created_at: now });
  await open('a');
  await open('b');
  await open('c', 'USD');
  await open('m', 'EUR', 'merchant');
  const execute = async (key: string, action: Command['action']) => {
    const idempotency = { key, requestSha256: '00'.repeat(32) };
    const { answer } = await ledger.execute({ action, principal: { userId: 'op', role: 'operator' }, idempotency });
    expect(answer.status).toBe(201);
  };
  const move = (from: string, to: string, minor: bigint, exchange: { currency: string; rate: string } | null = null) =>
    execute(`${from}-${to}-${minor}`, {
      type: 'transfer',
      kind: from.startsWith('external') ? 'top_up' : 'transfer',
      fromAccountId: from,
      toAccountId: to,
      amountMinor: minor,
      currency: 'EUR',
      exchange,
      reference: null,
    });
  await move('external:EUR', 'a', 100n);
  await move('a', 'b', 40n);
  await move('a', 'c', 10n, { currency: 'USD', rate: '1.1' });
  await move('b', 'a', 7n);
  while ((await ledger.fold()) > 0);
  await move('a', 'm', 3n);
  const held = { type: 'hold', accountId: 'b', amountMinor: 5n, currency: 'EUR', reference: null } as const;
  await execute('hold', held);
}

async function invariant() {
  const { invariants } = await runChecks(client, 'plain', await loadRecord(client, []));
  return invariants.find(({ id }) => id === 'I1')!;
}

test('sound data: transfers, accounts and postings are all looked at', async () => {
  const sound = await invariant();
  expect(sound).toMatchObject({ ok: true, violations: 0, examples: [] });
  // 5 transfers, 7 accounts, 11 postings beside the one leg that waits.
  expect(sound.checked).toBe(5 + 7 + 11);
});

const second = "account_id = 'a' and sequence = 2";

describe('finds', () => {
  test.each<[string, string, RegExp]>([
    [
      'an amount that was changed in the middle',
      `update postings set amount_minor = -41 where ${second}`,
      /a: posting 2/,
    ],
    ['a balance', `update postings set balance_minor = 61 where ${second}`, /a: posting 2: its balance/],
    ['a currency', `update postings set currency = 'USD' where ${second}`, /a: posting 2: in USD/],
    ['a time', `update postings set created_at = created_at + interval '1 ms' where ${second}`, /a: posting [23]/],
    [
      'another transfer',
      `update postings set transfer_id = gen_random_uuid() where ${second}`,
      /a: posting 2: its hash/,
    ],
    ['a hash', `update postings set hash = sha256('x') where ${second}`, /a: posting 2: its hash/],
    [
      'a hash that fits the row that was changed',
      `update postings p
       set created_at = p.created_at - interval '0 ms', transfer_id = '00000000-0000-7000-8000-000000000000',
         hash = sha256(b.hash || convert_to('a|2|00000000-0000-7000-8000-000000000000|' || p.amount_minor || '|EUR|'
           || p.balance_minor || '|' || trunc(extract(epoch from p.created_at) * 1000), 'UTF8'))
       from postings b where b.account_id = 'a' and b.sequence = 1 and p.account_id = 'a' and p.sequence = 2`,
      /a: posting 3: its hash/,
    ],
    ['a posting that is gone from the middle', `delete from postings where ${second}`, /a: posting 3: follows 1/],
    [
      'the newest posting that is gone',
      "delete from postings where account_id = 'b' and sequence = 2",
      /b: 33, but its postings are 40/,
    ],
    [
      'a posting that was added',
      "insert into postings select account_id, 9, transfer_id, amount_minor, currency, balance_minor, hash, created_at from postings where account_id = 'b' and sequence = 1",
      /b: posting 9: follows 2/,
    ],
    [
      'a balance of an account',
      "update accounts set balance_minor = 34 where account_id = 'b'",
      /b: 34, but its postings/,
    ],
    ['a version', "update accounts set version = 3 where account_id = 'b'", /b: at 3, its postings at 2/],
    ['a hash of an account', "update accounts set chain_hash = sha256('x') where account_id = 'b'", /b: another hash/],
    ['money held without a hold', "update accounts set held_minor = 6 where account_id = 'b'", /b: 6 held/],
    [
      'a hold of which the account does not know',
      "update holds set status = 'released'",
      /b: 5 held, but its holds are 0/,
    ],
    [
      'an overdraft beyond the limit',
      "update accounts set overdraft_limit_minor = -30 where account_id = 'b'",
      /b: 28 left, below its limit of 30/,
    ],
    ['an account that is gone', "delete from accounts where account_id = 'b'", /b: 2 postings, and no account/],
    ['a currency of an account', "update accounts set currency = 'USD' where account_id = 'b'", /b: posting 1: in EUR/],
    ['a leg that waits and is gone', 'delete from balance_deltas', /: -3 EUR in sum/],
    ['a leg that waits and was changed', 'update balance_deltas set amount_minor = 4', /: 1 EUR in sum/],
    [
      'a transfer that is gone',
      'delete from transfers where amount_minor = 40',
      /legs of a transfer that is not there/,
    ],
    [
      'an amount of a transfer',
      'update transfers set amount_minor = 41, to_amount_minor = 41 where amount_minor = 40',
      /pays 41/,
    ],
    [
      'an account of a transfer',
      "update transfers set to_account_id = 'm' where amount_minor = 40",
      /say -40 and nothing/,
    ],
    [
      'a transfer without legs',
      "insert into transfers values (gen_random_uuid(), 'transfer', 'a', 'b', 1, 'EUR', 1, 'EUR', null, null, now())",
      /its 0 legs say nothing/,
    ],
  ])('%s', async (_what, tampering, example) => {
    await client.query('alter table accounts drop constraint if exists accounts_overdraft_limit_minor_check');
    await client.query(tampering);
    const { ok, violations, examples } = await invariant();
    expect(ok).toBe(false);
    expect(violations).toBeGreaterThan(0);
    expect(examples.join('\n')).toMatch(example);
  });
});
