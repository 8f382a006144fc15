import { type Principal, seesAll } from '../kernel/access/principal.ts';
import { maxInt8 } from '../kernel/contract/fields.ts';
import { toJson } from '../kernel/http/envelope.ts';
import { AppError, fieldRefusal } from '../kernel/http/errors.ts';
import type { Answer, DecideOptions, LedgerChanges, LoadedLedger } from './batch.ts';
import { type AccountState, Book } from './book.ts';
import {
  type Command,
  clearingAccountId,
  type HoldAction,
  keyName,
  systemAccountKind,
  type TransferAction,
} from './command.ts';
import { convert } from './rate.ts';
import { accountNotFound, inProgress, keyReused } from './refusals.ts';
import type { AccountRow, HoldRow, KeyRow, TransferRow } from './rows.ts';
import { shownHold, shownTransfer } from './shown.ts';

/** How long a stored answer is repeated. */
export const keyLifetimeMs = 24 * 60 * 60 * 1000;

/**
 * Decides commands in their order: a pure function from the rows to what the transaction writes. A command that is
 * refused changes nothing; its refusal is stored under its key, as an answer that a repetition gets again.
 */
export function decideBatch(commands: readonly Command[], loaded: LoadedLedger, options: DecideOptions): LedgerChanges {
  const book = new Book(loaded, options);
  const known = new Map(loaded.keys.map((row) => [keyName(row.principal, row.key), row]));
  const keys: KeyRow[] = [];
  const used = new Set<string>();
  const answers = commands.map((command): Answer | { error: AppError } => {
    const { key, requestSha256 } = command.idempotency;
    const name = keyName(command.principal.userId, key);
    if (loaded.busyKeys.has(name) || used.has(name)) return { error: inProgress() };
    used.add(name);
    const stored = known.get(name);
    if (stored && options.now.getTime() - stored.created_at.getTime() < keyLifetimeMs) {
      if (stored.request_sha256 !== requestSha256) return { error: keyReused() };
      return { status: stored.status, body: stored.body, replayed: true };
    }
    const answer = decideOne(book, command, options);
    keys.push({
      principal: command.principal.userId,
      key,
      request_sha256: requestSha256,
      status: answer.status,
      body: answer.body,
      created_at: options.now,
    });
    return answer;
  });
  return { ...book.changes(), answers, keys };
}

function decideOne(book: Book, command: Command, options: DecideOptions): Answer {
  const { action, principal } = command;
  try {
    const made =
      action.type === 'hold'
        ? hold(book, principal, action, options)
        : transfer(book, principal, action, { ...options, requestId: command.requestId });
    return { status: 201, body: toJson(made), replayed: false };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message, details, status } = error;
    return { status, body: toJson({ code, message, details }), replayed: false };
  }
}

interface Leg {
  account: AccountState;
  amountMinor: bigint;
}

function transfer(
  book: Book,
  principal: Principal,
  action: TransferAction,
  { now, newId, requestId }: DecideOptions & { requestId: string | undefined },
) {
  const from = book.find(action.fromAccountId, 'from_account_id');
  const to = book.find(action.toAccountId, 'to_account_id');
  checkOwner(action.kind === 'top_up' ? to : from, principal);
  if (!seesAll(principal)) checkCustomer(action, to);
  for (const account of [from, to]) checkActive(account);
  checkCurrency(from.row, action.currency);
  const toAmountMinor = receivedMinor(action, from.row, to.row);
  const legs: Leg[] = [
    { account: from, amountMinor: -action.amountMinor },
    { account: to, amountMinor: toAmountMinor },
  ];
  if (action.exchange !== null) {
    const bought = book.find(clearingAccountId(from.row.currency), 'currency');
    const sold = book.find(clearingAccountId(to.row.currency), 'currency');
    legs.push({ account: bought, amountMinor: action.amountMinor }, { account: sold, amountMinor: -toAmountMinor });
  }
  for (const { account, amountMinor } of legs) book.checkRoom(account, amountMinor);
  const row: TransferRow = {
    transfer_id: newId(now.getTime()),
    kind: action.kind,
    from_account_id: from.row.account_id,
    to_account_id: to.row.account_id,
    amount_minor: action.amountMinor,
    currency: from.row.currency,
    to_amount_minor: toAmountMinor,
    to_currency: to.row.currency,
    rate: action.exchange?.rate ?? null,
    reference: action.reference,
    created_at: now,
  };
  book.add(row, requestId);
  for (const { account, amountMinor } of legs) book.post(account, row.transfer_id, amountMinor);
  return { object: 'transfer', data: shownTransfer(row) };
}

function hold(book: Book, principal: Principal, action: HoldAction, { now, newId }: DecideOptions) {
  const account = book.find(action.accountId, 'account_id');
  checkOwner(account, principal);
  checkActive(account);
  checkCurrency(account.row, action.currency);
  book.checkRoom(account, -action.amountMinor);
  book.reserve(account, action.amountMinor);
  const row: HoldRow = {
    hold_id: newId(now.getTime()),
    account_id: action.accountId,
    amount_minor: action.amountMinor,
    currency: action.currency,
    status: 'active',
    reference: action.reference,
    created_at: now,
    updated_at: now,
  };
  book.holds.push(row);
  return { object: 'hold', data: shownHold(row) };
}

/** An account of another principal is one that is not there. @throws AppError account_not_found */
export function checkOwner({ row }: AccountState, principal: Principal): void {
  if (row.user_id !== principal.userId && !seesAll(principal)) throw accountNotFound();
}

/**
 * A customer neither says what a currency is worth, which would be money for nothing, nor pays into the ledger's own
 * accounts. @throws AppError forbidden, account_not_found
 */
function checkCustomer({ kind, exchange }: TransferAction, to: AccountState): void {
  if (exchange !== null) throw fieldRefusal('forbidden', 'rate', 'is for operators to say');
  if (kind === 'transfer' && systemAccountKind(to.row.account_id)) throw accountNotFound('to_account_id');
}

/** @throws AppError account_frozen, account_closed */
export function checkActive({ row }: AccountState): void {
  if (row.status === 'active') return;
  const details = { account_id: row.account_id };
  if (row.status === 'closed')
    throw new AppError('account_closed', `Account ${row.account_id} is closed.`, { details });
  throw new AppError('account_frozen', `Account ${row.account_id} is frozen.`, { details });
}

export function checkCurrency(account: AccountRow, currency: string): void {
  if (account.currency === currency) return;
  throw fieldRefusal('currency_mismatch', 'currency', `account ${account.account_id} is in ${account.currency}`);
}

/** What the other account gets. @throws AppError currency_mismatch */
function receivedMinor({ amountMinor, exchange }: TransferAction, from: AccountRow, to: AccountRow): bigint {
  if (exchange === null) {
    if (from.currency === to.currency) return amountMinor;
    const remedy = `send to_currency and rate, since account ${to.account_id} is in ${to.currency}`;
    throw fieldRefusal('currency_mismatch', 'to_currency', remedy);
  }
  if (exchange.currency !== to.currency) {
    throw fieldRefusal('currency_mismatch', 'to_currency', `account ${to.account_id} is in ${to.currency}`);
  }
  if (from.currency === to.currency) {
    throw fieldRefusal('currency_mismatch', 'rate', `leave it out: both accounts are in ${to.currency}`);
  }
  const received = convert(amountMinor, exchange.rate, from.currency, to.currency);
  if (received > 0n && received <= maxInt8) return received;
  throw fieldRefusal('currency_mismatch', 'amount_minor', `is nothing that ${to.currency} can express at this rate`);
}
