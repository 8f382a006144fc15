import { maxInt8 } from '../kernel/contract/fields.ts';
import { AppError, fieldRefusal } from '../kernel/http/errors.ts';
import type { OutboxRow } from '../kernel/outbox/append.ts';
import type { DecideOptions, LedgerChanges, LoadedLedger } from './batch.ts';
import { postingHash } from './chain.ts';
import { systemAccountKind } from './command.ts';
import { postingEvent, transferEvent } from './events.ts';
import { accountNotFound } from './refusals.ts';
import type { AccountRow, DeltaRow, HoldRow, PostingRow, TransferRow } from './rows.ts';

/** An account while a batch is decided. */
export interface AccountState {
  row: AccountRow;
  /** Whether postings may be numbered; else legs wait as deltas. */
  isLocked: boolean;
  isChanged: boolean;
}

/** The most that an account has, so that the few accounts from which all money comes stay within 64 bits. */
const maxBalanceMinor = 10n ** 15n;

/** The accounts of a batch as they are after what was decided so far, and what is to be written of it. */
export class Book {
  readonly holds: HoldRow[] = [];
  readonly #accounts = new Map<string, AccountState>();
  readonly #transfers: TransferRow[] = [];
  readonly #postings: PostingRow[] = [];
  readonly #deltas: DeltaRow[] = [];
  readonly #folded: DeltaRow[] = [];
  readonly #events: OutboxRow[] = [];
  readonly #now: Date;
  readonly #newId: DecideOptions['newId'];

  constructor({ locked, shared, deltas }: LoadedLedger, { now, newId }: DecideOptions) {
    this.#now = now;
    this.#newId = newId;
    for (const row of locked) this.#accounts.set(row.account_id, { row, isLocked: true, isChanged: false });
    for (const row of shared) this.#accounts.set(row.account_id, { row, isLocked: false, isChanged: false });
    for (const delta of deltas) {
      this.#append(this.#accounts.get(delta.account_id)!, delta.transfer_id, delta.amount_minor);
      this.#folded.push(delta);
    }
  }

  /** @param field The field of the request that names it. @throws AppError account_not_found */
  find(accountId: string, field: string): AccountState {
    const account = this.#accounts.get(accountId);
    if (!account) throw accountNotFound(field);
    return account;
  }

  /** @throws AppError insufficient_funds, balance_out_of_range where the account could not take the amount. */
  checkRoom({ row, isLocked }: AccountState, amountMinor: bigint): void {
    const balance = row.balance_minor + amountMinor;
    const most = row.overdraft_limit_minor === null ? maxInt8 : maxBalanceMinor;
    if (balance > most || balance < -maxInt8) {
      const remedy = `the balance of ${row.account_id} must stay within ${most} minor units`;
      throw fieldRefusal('balance_out_of_range', 'amount_minor', remedy);
    }
    if (amountMinor > 0n || row.overdraft_limit_minor === null) return;
    if (!isLocked) throw new Error(`account ${row.account_id} has a limit and was not locked`);
    const availableMinor = row.balance_minor - row.held_minor + row.overdraft_limit_minor;
    if (availableMinor + amountMinor >= 0n) return;
    throw new AppError('insufficient_funds', `Account ${row.account_id} has less than that available.`, {
      details: { account_id: row.account_id, available_minor: availableMinor },
    });
  }

  /** Notes a transfer that was checked; its legs are booked next. */
  add(row: TransferRow, requestId: string | undefined): void {
    this.#transfers.push(row);
    // What comes from outside is of the user who gets it.
    const owner = systemAccountKind(row.from_account_id) ? row.to_account_id : row.from_account_id;
    this.#events.push(transferEvent(row, this.#accounts.get(owner)!.row.user_id, requestId));
  }

  /** Books one leg of a transfer that was checked. */
  post(account: AccountState, transferId: string, amountMinor: bigint): void {
    if (account.isLocked) {
      this.#append(account, transferId, amountMinor);
      return;
    }
    const { account_id, currency } = account.row;
    this.#deltas.push({
      account_id,
      transfer_id: transferId,
      amount_minor: amountMinor,
      currency,
      created_at: this.#now,
    });
  }

  reserve(account: AccountState, amountMinor: bigint): void {
    account.row = { ...account.row, held_minor: account.row.held_minor + amountMinor };
    account.isChanged = true;
  }

  #append(account: AccountState, transferId: string, amountMinor: bigint): void {
    const { row } = account;
    const posting = {
      account_id: row.account_id,
      sequence: row.version + 1n,
      transfer_id: transferId,
      amount_minor: amountMinor,
      currency: row.currency,
      balance_minor: row.balance_minor + amountMinor,
      // Clocks of several processes differ, and one may be set back: times follow the sequence all the same.
      created_at: new Date(Math.max(row.updated_at.getTime(), this.#now.getTime())),
    };
    const hash = postingHash(row.chain_hash, posting);
    const posted = { ...posting, hash };
    this.#postings.push(posted);
    this.#events.push(postingEvent(posted, row.user_id, this.#newId(posted.created_at.getTime())));
    account.row = {
      ...row,
      version: posting.sequence,
      balance_minor: posting.balance_minor,
      chain_hash: hash,
      updated_at: posting.created_at,
    };
    account.isChanged = true;
  }

  changes(): Omit<LedgerChanges, 'answers' | 'keys'> {
    const changed = [...this.#accounts.values()].filter(({ isChanged }) => isChanged);
    return {
      accounts: changed.map(({ row }) => row),
      transfers: this.#transfers,
      postings: this.#postings,
      deltas: this.#deltas,
      folded: this.#folded,
      holds: this.holds,
      events: this.#events,
    };
  }
}
