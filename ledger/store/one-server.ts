import type { ClientBase, Pool } from 'pg';
import { appendOutbox } from '../../kernel/outbox/append.ts';
import { statements } from '../../kernel/postgres/statement.ts';
import { withPipelinedTransaction, withTransaction } from '../../kernel/postgres/transaction.ts';
import { uuidv7 } from '../../kernel/uuid.ts';
import type { LoadedLedger } from '../batch.ts';
import { accountsOf, type Command, debitedAccount, keyName, systemAccountKind } from '../command.ts';
import { accountEvent } from '../events.ts';
import { accountNotFound } from '../refusals.ts';
import type { AccountRow, AccountWithPending, DeltaRow, HoldRow, KeyRow, PostingRow, TransferRow } from '../rows.ts';
import type { BalanceAt, LedgerStore, NewAccount } from './ledger-store.ts';
import { writeChanges } from './write.ts';

const sql = statements(new URL('./sql/one-server/', import.meta.url), [
  'lock_keys',
  'find_keys',
  'lock_accounts',
  'share_accounts',
  'find_deltas',
  'insert_account',
  'lock_account',
  'set_status',
  'release_hold',
  'find_open_refunds',
  'list_waiting',
  'find_account',
  'find_transfer',
  'find_hold',
  'find_posting_at',
  'list_postings',
  'find_owners',
]);

export interface OneServerLedgerOptions {
  /** Of the primary. */
  pool: Pool;
  /** Of the same server, in pipeline mode. */
  ledgerPool: Pool;
  /** Whether legs may wait at accounts that many transfers want at one time. */
  deltas: boolean;
  /** When the ledger's own accounts are opened. */
  now: () => Date;
}

/** A ledger of which one server has all. */
export function oneServerLedger({ pool, ledgerPool, deltas, now: clock }: OneServerLedgerOptions): LedgerStore {
  const opened = new Set<string>();
  return {
    async commit(commands, fold, decide) {
      await openSystemAccounts({ pool, now: clock }, commands.flatMap(accountsOf), opened);
      return withPipelinedTransaction(
        ledgerPool,
        (client) => load(client, commands, fold, deltas),
        (client, loaded) => {
          const changes = decide(loaded);
          return { result: changes.answers, statements: writeChanges(client, changes) };
        },
      );
    },
    open: (account) => withTransaction(pool, async (client) => (await insertAccount(client, account))!),
    setStatus: (accountId, status, now, check) =>
      withTransaction(pool, async (client) => {
        const { rows } = await sql.lock_account<AccountRow>(client, [accountId]);
        if (!rows[0]) throw accountNotFound();
        const { pending_minor } = (await findAccount(client, accountId))!;
        const refunds = await sql.find_open_refunds(client, [rows[0].user_id, accountId]);
        check(rows[0], { pendingMinor: pending_minor, isRefunded: refunds.rows.length > 0 });
        if (rows[0].status !== status) await setStatus(client, { ...rows[0], status }, now);
        return (await findAccount(client, accountId))!;
      }),
    releaseHold: (holdId, now, check) =>
      withTransaction(pool, async (client) => {
        const hold = (await sql.find_hold<HoldRow>(client, [holdId])).rows[0];
        if (!hold) return undefined;
        const { rows } = await sql.lock_account<AccountRow>(client, [hold.account_id]);
        check(rows[0]!.user_id);
        const released = await sql.release_hold<HoldRow>(client, [holdId, now]);
        return released.rows[0] ?? (await sql.find_hold<HoldRow>(client, [holdId])).rows[0];
      }),
    waiting: async () =>
      (await sql.list_waiting<{ account_id: string }>(pool, [])).rows.map(({ account_id }) => account_id),
    ...ledgerReads,
  };
}

const ledgerReads: Pick<LedgerStore, 'find' | 'findTransfer' | 'findHold' | 'balanceAt' | 'postings' | 'ownersOf'> = {
  find: findAccount,
  findTransfer: async (node, transferId) => (await sql.find_transfer<TransferRow>(node, [transferId])).rows[0],
  findHold: async (node, holdId) => (await sql.find_hold<HoldRow>(node, [holdId])).rows[0],
  balanceAt: async (node, accountId, at) =>
    (await sql.find_posting_at<BalanceAt & Record<string, unknown>>(node, [accountId, at])).rows[0] ?? {
      sequence: 0n,
      balance_minor: 0n,
    },
  postings: async (node, accountId, { before, limit }) =>
    (await sql.list_postings<PostingRow>(node, [accountId, before, limit])).rows,
  ownersOf: async (node, accountIds) =>
    (await sql.find_owners<{ user_id: string }>(node, [accountIds])).rows.map(({ user_id }) => user_id),
};

async function findAccount(client: ClientBase | Pool, accountId: string): Promise<AccountWithPending | undefined> {
  return (await sql.find_account<AccountWithPending>(client, [accountId])).rows[0];
}

/** @returns undefined where the account is there already. */
async function insertAccount(client: ClientBase, account: NewAccount): Promise<AccountWithPending | undefined> {
  const { account_id, user_id, currency, kind, overdraft_limit_minor, created_at } = account;
  const values = [account_id, user_id, currency, kind, overdraft_limit_minor, created_at];
  const row = (await sql.insert_account<AccountWithPending>(client, values)).rows[0];
  const eventId = uuidv7(created_at.getTime());
  if (row) await appendOutbox(client, [accountEvent(row, { kind: 'opened', eventId, sequence: 1n, at: created_at })]);
  return row;
}

/** @param row Locked, with its new status. */
async function setStatus(client: ClientBase, row: AccountRow, now: Date): Promise<void> {
  const changed = await sql.set_status<{ event_sequence: bigint; updated_at: Date }>(client, [
    row.account_id,
    row.status,
    now,
  ]);
  const { event_sequence: sequence, updated_at: at } = changed.rows[0]!;
  const eventId = uuidv7(at.getTime());
  await appendOutbox(client, [accountEvent(row, { kind: 'status_changed', eventId, sequence, at })]);
}

/** Opens those of the accounts that are the ledger's own and that were not seen before. They are never removed. */
export async function openSystemAccounts(
  { pool, now }: { pool: Pool; now: () => Date },
  accountIds: readonly string[],
  opened: Set<string>,
): Promise<void> {
  for (const accountId of accountIds) {
    const kind = systemAccountKind(accountId);
    if (!kind || opened.has(accountId)) continue;
    const account = {
      account_id: accountId,
      user_id: 'system',
      currency: accountId.slice(-3),
      kind,
      overdraft_limit_minor: null,
      created_at: now(),
    };
    await withTransaction(pool, (client) => insertAccount(client, account));
    opened.add(accountId);
  }
}

/** Everything is sent at once, in the order of its locks: keys, accounts, then what waits for the locked ones. */
async function load(
  client: ClientBase,
  commands: readonly Command[],
  fold: readonly string[],
  deltas: boolean,
): Promise<LoadedLedger> {
  const keys = [commands.map(({ principal }) => principal.userId), commands.map(({ idempotency }) => idempotency.key)];
  const accountIds = [...new Set([...fold, ...commands.flatMap(accountsOf)])];
  const values = [accountIds, commands.map(debitedAccount), fold];
  const [busy, stored, locked, shared, waiting] = await Promise.all([
    sql.lock_keys<{ principal: string; key: string }>(client, keys),
    sql.find_keys<KeyRow>(client, keys),
    sql.lock_accounts<AccountRow>(client, [...values, deltas]),
    deltas ? sql.share_accounts<AccountRow>(client, values) : undefined,
    sql.find_deltas<DeltaRow>(client, [...values, deltas]),
  ]);
  return {
    locked: locked.rows,
    shared: shared?.rows ?? [],
    deltas: waiting.rows,
    keys: stored.rows,
    busyKeys: new Set(busy.rows.map(({ principal, key }) => keyName(principal, key))),
  };
}
