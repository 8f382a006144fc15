import type { Pool } from 'pg';
import type { Committed } from '../../kernel/postgres/transaction.ts';
import type { LedgerChanges, LoadedLedger } from '../batch.ts';
import type { Command } from '../command.ts';
import type {
  AccountKind,
  AccountRow,
  AccountStatus,
  AccountWithPending,
  HoldRow,
  PostingRow,
  TransferRow,
} from '../rows.ts';

export interface NewAccount {
  account_id: string;
  user_id: string;
  currency: string;
  kind: AccountKind;
  overdraft_limit_minor: bigint | null;
  created_at: Date;
}

/** What the account had at a moment of the past. */
export interface BalanceAt {
  /** The newest posting until then; 0 where there was none. */
  sequence: bigint;
  balance_minor: bigint;
}

/** Accounts, transfers and postings, wherever their rows lie. */
export interface LedgerStore {
  /**
   * Locks what the commands touch, in the order of account ids, has them decided, and writes what was decided, all in
   * one transaction. @param fold Accounts whose waiting legs are to be posted, besides those of the commands.
   */
  commit(
    commands: readonly Command[],
    fold: readonly string[],
    decide: (loaded: LoadedLedger) => LedgerChanges,
  ): Promise<Committed<LedgerChanges['answers']>>;
  open(account: NewAccount): Promise<Committed<AccountWithPending>>;
  /**
   * Changes the status while nothing else works on the account. @param check Told of the row and of what is on its
   * way to it; refuses by throwing. @throws AppError account_not_found
   */
  setStatus(
    accountId: string,
    status: AccountStatus,
    now: Date,
    check: (row: AccountRow, coming: { pendingMinor: bigint; isRefunded: boolean }) => void,
  ): Promise<Committed<AccountWithPending>>;
  /**
   * Ends a hold; one that has ended stays as it is. @param check Told whose it is; refuses by throwing.
   * @returns undefined where there is no such hold.
   */
  releaseHold(holdId: string, now: Date, check: (userId: string) => void): Promise<Committed<HoldRow | undefined>>;
  /** Accounts with legs that wait, at most a thousand of them. */
  waiting(): Promise<string[]>;

  /** As the node of `pool` has them. */
  find(pool: Pool, accountId: string): Promise<AccountWithPending | undefined>;
  findTransfer(pool: Pool, transferId: string): Promise<TransferRow | undefined>;
  findHold(pool: Pool, holdId: string): Promise<HoldRow | undefined>;
  balanceAt(pool: Pool, accountId: string, at: Date): Promise<BalanceAt>;
  /** Before the sequence number `before`, the newest first. */
  postings(pool: Pool, accountId: string, window: { before: bigint; limit: number }): Promise<PostingRow[]>;
  /** Users of those of the accounts that exist. */
  ownersOf(pool: Pool, accountIds: readonly string[]): Promise<string[]>;
}
