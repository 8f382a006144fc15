import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AppError } from '../kernel/http/errors.ts';
import { createPool } from '../kernel/postgres/pool.ts';
import { uuidv7 } from '../kernel/uuid.ts';
import { asRole, createDatabase, type TestDatabase } from '../test/postgres/database.ts';
import type { Command, TransferAction } from './command.ts';
import { createLedger, type Ledger, type LedgerStrategy, ledgerStrategies } from './ledger.ts';
import type { AccountKind } from './rows.ts';
import type { LedgerStore } from './store/ledger-store.ts';
import { oneServerLedger } from './store/one-server.ts';

const logger = pino({ level: 'silent' });
const operator = { userId: 'op', role: 'operator' } as const;

let keys = 0;
/** A command with a key of its own. */
function command(action: Partial<TransferAction> & Pick<TransferAction, 'fromAccountId' | 'toAccountId'>): Command {
  keys += 1;
  return {
    action: {
      type: 'transfer',
      kind: 'transfer',
      amountMinor: 1n,
      currency: 'EUR',
      exchange: null,
      reference: null,
      ...action,
    },
    principal: operator,
    idempotency: { key: `key-${keys}`, requestSha256: 'ab'.repeat(32) },
  };
}

/** A deterministic source of numbers in [0, 1), so that a failure can be repeated. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

let database: TestDatabase;
let admin: Pool;
let pool: Pool;
let ledgerPool: Pool;
beforeAll(async () => {
  database = await createDatabase('plain');
  const dsn = asRole(database.dsn, 'lab_api');
  admin = createPool({ dsn: database.dsn, applicationName: 'admin', logger, max: 2 });
  pool = createPool({ dsn, applicationName: 'ledger-test', logger, max: 2 });
  ledgerPool = createPool({ dsn, applicationName: 'ledger-test', logger, max: 8, pipeline: true });
});
afterAll(async () => {
  await Promise.all([admin.end(), pool.end(), ledgerPool.end()]);
  await database.drop();
});

function open(strategy: LedgerStrategy): { ledger: Ledger; store: LedgerStore } {
  const store = oneServerLedger({ pool, ledgerPool, deltas: strategy === 'deltas', now: () => new Date() });
  const ledger = createLedger({ store, strategy, now: () => new Date(), maxBatch: 50, maxQueue: 1_000 });
  return { ledger, store };
}

async function openAccount(
  store: LedgerStore,
  changes: { kind?: AccountKind; currency?: string; limit?: bigint } = {},
) {
  const { kind = 'wallet', currency = 'EUR', limit = 0n } = changes;
  const now = new Date();
  const { result } = await store.open({
    account_id: `acc_${uuidv7(now.getTime())}`,
    user_id: 'u1',
    currency,
    kind,
    overdraft_limit_minor: limit,
    created_at: now,
  });
  return result.account_id;
}

async function topUp(ledger: Ledger, accountId: string, amountMinor: bigint): Promise<void> {
  const { answer } = await ledger.execute(
    command({ kind: 'top_up', fromAccountId: 'external:EUR', toAccountId: accountId, amountMinor }),
  );
  expect(answer.status).toBe(201);
}

async function balanceOf(store: LedgerStore, accountId: string): Promise<bigint> {
  const account = (await store.find(admin, accountId))!;
  return account.balance_minor + account.pending_minor;
}

describe.each(ledgerStrategies)('the strategy %s', (strategy) => {
  test('64 clients on few accounts: every balance is what a model says, and no account is overdrawn', async () => {
    const { ledger, store } = open(strategy);
    const random = mulberry32(20_261_128);
    const wallets = await Promise.all(Array.from({ length: 4 }, () => openAccount(store)));
    const merchants = await Promise.all(
      Array.from({ length: 2 }, (_, index) => openAccount(store, { kind: 'merchant', limit: index === 0 ? 0n : 500n })),
    );
    const accounts = [...wallets, ...merchants];
    const model = new Map(accounts.map((accountId) => [accountId, 0n]));
    for (const accountId of accounts) {
      await topUp(ledger, accountId, 1_000n);
      model.set(accountId, 1_000n);
    }
    const refused: string[] = [];
    const client = async (): Promise<void> => {
      for (let sent = 0; sent < 8; sent++) {
        const from = accounts[Math.floor(random() * accounts.length)]!;
        const to = accounts.filter((accountId) => accountId !== from)[Math.floor(random() * (accounts.length - 1))]!;
        const amountMinor = BigInt(1 + Math.floor(random() * 400));
        const { answer } = await ledger.execute(command({ fromAccountId: from, toAccountId: to, amountMinor }));
        if (answer.status === 201) {
          model.set(from, model.get(from)! - amountMinor);
          model.set(to, model.get(to)! + amountMinor);
        } else refused.push(JSON.parse(answer.body).code);
        if (strategy === 'deltas' && sent % 5 === 0) await ledger.fold();
      }
    };
    await Promise.all(Array.from({ length: 64 }, client));
    expect(new Set(refused)).toEqual(new Set(['insufficient_funds']));
    for (const [accountId, expected] of model) expect(await balanceOf(store, accountId)).toBe(expected);
    while ((await ledger.fold()) > 0);
    for (const accountId of accounts) {
      const account = (await store.find(admin, accountId))!;
      expect(account.balance_minor).toBe(model.get(accountId)!);
      expect(account.pending_minor).toBe(0n);
    }
  }, 60_000);

  test('100 overdrafts at one time: as many pass as the account can pay', async () => {
    const { ledger, store } = open(strategy);
    for (const kind of ['wallet', 'merchant'] as const) {
      const from = await openAccount(store, { kind, limit: 50n });
      const to = await openAccount(store, { kind: 'merchant' });
      await topUp(ledger, from, 100n);
      const all = Array.from({ length: 100 }, () =>
        ledger.execute(command({ fromAccountId: from, toAccountId: to, amountMinor: 10n })),
      );
      const answers = (await Promise.all(all)).map(({ answer }) => answer.status);
      expect(answers.filter((status) => status === 201)).toHaveLength(15);
      expect(answers.filter((status) => status === 422)).toHaveLength(85);
      expect(await balanceOf(store, from)).toBe(-50n);
      expect(await balanceOf(store, to)).toBe(150n);
    }
  });

  test('100 requests with one key, by two processes: one effect', async () => {
    const { ledger, store } = open(strategy);
    const other = open(strategy).ledger;
    const [from, to] = [await openAccount(store), await openAccount(store)];
    await topUp(ledger, from, 1_000n);
    const same = command({ fromAccountId: from, toAccountId: to, amountMinor: 7n });
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        (index % 2 ? ledger : other).execute(same).then(
          ({ answer }) => answer,
          (error: AppError) => error.code,
        ),
      ),
    );
    const answers = outcomes.filter((outcome) => typeof outcome !== 'string');
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(new Set(outcomes.filter((outcome) => typeof outcome === 'string'))).toEqual(
      new Set(['operation_in_progress']),
    );
    expect(await balanceOf(store, to)).toBe(7n);
    expect((await ledger.execute(same)).answer).toEqual({ ...answers[0], replayed: true });
  });
});
