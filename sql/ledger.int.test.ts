import { createHash } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { asRole, createDatabase, type TestDatabase } from '../test/postgres/database.ts';

/* What the database itself refuses to the role of the API, whatever the API computes. */

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await createDatabase('plain');
  client = new Client({ connectionString: asRole(database.dsn, 'lab_api') });
  await client.connect();
  await client.query(`
    insert into accounts (account_id, user_id, currency, kind, overdraft_limit_minor)
    values ('a', 'u1', 'EUR', 'wallet', 0), ('b', 'u2', 'EUR', 'wallet', 10), ('usd', 'u1', 'USD', 'wallet', 0),
      ('merchant', 'm', 'EUR', 'merchant', 0), ('external:EUR', 'system', 'EUR', 'external', null)
  `);
  await client.query('begin');
  await book(legs());
  await client.query('commit');
});
afterAll(async () => {
  await client.end();
  await database.drop();
});
beforeEach(() => client.query('begin'));
afterEach(() => client.query('rollback'));

const zero = '00'.repeat(32);
const transferId = '019c1378-39a0-7000-9c1b-5e1f3a7d2c01';
const secondId = '019c1378-39a0-7000-9c1b-5e1f3a7d2c02';

interface Leg {
  account: string;
  sequence: number;
  minor: number;
  balance: number;
  currency: string;
  previous: string;
  transferId: string;
  at: string;
}

function legs(changes: { from?: Partial<Leg>; to?: Partial<Leg> } = {}): Leg[] {
  const leg = { sequence: 1, currency: 'EUR', previous: zero, transferId, at: '2026-01-01T00:00:00.000Z' };
  return [
    { account: 'external:EUR', minor: -100, balance: -100, ...leg, ...changes.from },
    { account: 'a', minor: 100, balance: 100, ...leg, ...changes.to },
  ];
}

function hashOf({ account, sequence, minor, balance, currency, previous, transferId: id, at }: Leg): string {
  const text = [account, sequence, id, minor, currency, balance, Date.parse(at)].join('|');
  return createHash('sha256').update(Buffer.from(previous, 'hex')).update(text).digest('hex');
}

/** The next transfer, from a to b, after that of `legs()`. */
function next(changes: { from?: Partial<Leg>; to?: Partial<Leg> } = {}): Leg[] {
  const before = hashOf(legs()[1]!);
  const a = { account: 'a', sequence: 2, minor: -40, balance: 60, previous: before, transferId: secondId };
  const b = { account: 'b', minor: 40, balance: 40, transferId: secondId };
  return legs({ from: { ...a, ...changes.from }, to: { ...b, ...changes.to } });
}

/** Writes a transfer as the API does: its accounts, then all of its postings. */
async function book(rows: Leg[], changes: { accounts?: boolean; transfer?: boolean } = {}): Promise<void> {
  const [from, to = { account: 'b' }] = rows as [Leg, Leg?];
  if (changes.transfer !== false) {
    await client.query(`insert into transfers values ($1, 'transfer', $2, $3, $4, $5, $4, $5, null, null, now())`, [
      from.transferId,
      from.account,
      to.account,
      Math.abs(from.minor),
      from.currency,
    ]);
  }
  if (changes.accounts !== false) {
    for (const row of rows) {
      await client.query(
        `update accounts set balance_minor = $2, version = $3, chain_hash = decode($4, 'hex') where account_id = $1`,
        [row.account, row.balance, row.sequence, hashOf(row)],
      );
    }
  }
  const values = rows.map((row) => {
    const { account, sequence, transferId: id, minor, currency, balance, at } = row;
    return `('${account}', ${sequence}, '${id}', ${minor}, '${currency}', ${balance}, decode('${hashOf(row)}', 'hex'), '${at}')`;
  });
  await client.query(`insert into postings values ${values.join(', ')}`);
}

const commit = () => client.query('set constraints all immediate');

test('a transfer whose legs fit is taken', async () => {
  await book(next());
  await commit();
});

test.each<[string, () => Promise<unknown>, string]>([
  ['legs that are not zero in sum', () => book(next({ to: { minor: 41, balance: 41 } })), 'postings_sum_to_zero'],
  ['one leg alone', () => book(next().slice(0, 1)), 'postings_sum_to_zero'],
  [
    'legs that are zero over two currencies only',
    () => book(next({ to: { account: 'usd', currency: 'USD' } })),
    'postings_sum_to_zero',
  ],
  ['a transfer that is not there', () => book(next(), { transfer: false }), 'postings_sum_to_zero'],
  ['a leg in another currency than its account', () => book(next({ to: { account: 'usd' } })), 'postings_follow'],
  ['an account that is not there', () => book(next({ to: { account: 'none' } })), 'postings_follow'],
  ['a gap in the sequence', () => book(next({ from: { sequence: 3 } })), 'postings_follow'],
  ['a balance that does not follow', () => book(next({ from: { balance: 61 } })), 'postings_follow'],
  ['a hash that does not follow', () => book(next({ from: { previous: zero } })), 'postings_follow'],
  [
    'a time before the posting before it',
    () => book(next({ from: { at: '2025-12-31T23:59:59.999Z' } })),
    'postings_follow',
  ],
  ['postings that the accounts do not know', () => book(next(), { accounts: false }), 'postings_follow'],
  [
    'an overdraft beyond the limit',
    () => book(next({ from: { minor: -101, balance: -1 }, to: { minor: 101, balance: 101 } })),
    'accounts_within_overdraft',
  ],
  [
    'a hold beyond the balance',
    () => client.query("update accounts set held_minor = 101 where account_id = 'a'"),
    'accounts_within_overdraft',
  ],
  [
    'a wallet without a limit',
    () => client.query("insert into accounts values ('x', 'u', 'EUR', 'wallet', 'active', null)"),
    'accounts_limited',
  ],
  [
    'a closed account with money',
    () => client.query("update accounts set status = 'closed' where account_id = 'a'"),
    'accounts_empty_when_closed',
  ],
])('%s: refused', async (_what, write, constraint) => {
  await expect(write()).rejects.toMatchObject({ code: '23514', constraint });
});

test.each([
  ['a balance that no posting says', "update accounts set balance_minor = 101 where account_id = 'a'"],
  ['a version that no posting has', "update accounts set version = 7 where account_id = 'a'"],
  [
    'a hash that no posting has',
    "update accounts set chain_hash = decode(repeat('ab', 32), 'hex') where account_id = 'b'",
  ],
  ['an account that begins with money', "insert into accounts values ('x', 'u', 'EUR', 'wallet', 'active', 0, 5)"],
  [
    'an account that goes back to its beginning',
    `update accounts set balance_minor = 0, version = 0, chain_hash = decode(repeat('00', 32), 'hex') where account_id = 'a'`,
  ],
])('%s is refused when the transaction ends', async (_what, statement) => {
  await client.query(statement);
  await expect(commit()).rejects.toMatchObject({ code: '23514', constraint: 'accounts_follow_postings' });
});

test.each([
  ['without its other leg', "('merchant', $1, 5, 'EUR', now())", 'postings_sum_to_zero'],
  ['that takes from an account with a limit', "('merchant', $1, -5, 'EUR', now())", 'balance_deltas_bounded'],
  ['in another currency', "('merchant', $1, 5, 'USD', now())", 'balance_deltas_bounded'],
])('a leg that waits %s is refused when the transaction ends', async (_what, values, constraint) => {
  await client.query(`insert into balance_deltas values ${values}`, [transferId]);
  await expect(commit()).rejects.toMatchObject({ code: '23514', constraint });
});

test.each([
  'update postings set amount_minor = 1',
  'delete from postings',
  'truncate postings',
  'update transfers set amount_minor = 1',
  'delete from transfers',
  'delete from accounts',
  "update accounts set overdraft_limit_minor = 100 where account_id = 'a'",
  "update accounts set currency = 'USD'",
  'update holds set amount_minor = 1',
  'delete from holds',
  'delete from idempotency_keys',
])('lab_api has no right to: %s', async (statement) => {
  await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' });
});

test('not even the owner changes what was posted by mistake', async () => {
  const owner = new Client({ connectionString: database.dsn });
  await owner.connect();
  for (const table of ['postings', 'transfers']) {
    for (const change of [`update ${table} set currency = 'USD'`, `delete from ${table}`, `truncate ${table}`]) {
      await expect(owner.query(change)).rejects.toMatchObject({ code: '23514', constraint: 'append_only' });
    }
  }
  await owner.end();
});

test('one key is one row for each principal', async () => {
  const insert = (principal: string) =>
    client.query("insert into idempotency_keys values ($1, 'k', sha256('x'), 201, '{}', now())", [principal]);
  await insert('u1');
  await insert('u2');
  await expect(insert('u1')).rejects.toMatchObject({ code: '23505' });
});
