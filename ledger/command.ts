import type { Principal } from '../kernel/access/principal.ts';

/** Money from one account to another. */
export interface TransferAction {
  type: 'transfer';
  kind: 'transfer' | 'top_up' | 'withdrawal';
  fromAccountId: string;
  toAccountId: string;
  /** In minor units of `currency`, which is that of the account that pays. */
  amountMinor: bigint;
  currency: string;
  /** Of a transfer between two currencies: what the other account gets, in major units for one major unit of this one. */
  exchange: { currency: string; rate: string } | null;
  reference: string | null;
}

/** Money of an account that is reserved: it stays there, and can't be spent. */
export interface HoldAction {
  type: 'hold';
  accountId: string;
  amountMinor: bigint;
  currency: string;
  reference: string | null;
}

/** A request that moves or reserves money. */
export interface Command {
  action: TransferAction | HoldAction;
  principal: Principal;
  /** The caller's Idempotency-Key, and the SHA-256 of what it asks for in hexadecimal digits. */
  idempotency: { key: string; requestSha256: string };
  /** Names the request in what leaves for the outside. */
  requestId?: string;
}

/** Names a principal's key; a line feed can occur in neither part. */
export function keyName(principal: string, key: string): string {
  return `${principal}\n${key}`;
}

/** The account through which money of a currency enters and leaves the ledger. */
export function externalAccountId(currency: string): string {
  return `external:${currency}`;
}

/** The account that takes one side of a transfer between two currencies. */
export function clearingAccountId(currency: string): string {
  return `clearing:${currency}`;
}

/** The ledger's own accounts, which are opened when they are first needed. */
export function systemAccountKind(accountId: string): 'external' | 'clearing' | undefined {
  return /^(external|clearing):[A-Z]{3}$/.exec(accountId)?.[1] as 'external' | 'clearing' | undefined;
}

/** Every account that the command may touch. */
export function accountsOf({ action }: Command): string[] {
  if (action.type === 'hold') return [action.accountId];
  const { fromAccountId, toAccountId, currency, exchange } = action;
  if (exchange === null) return [fromAccountId, toAccountId];
  return [fromAccountId, toAccountId, clearingAccountId(currency), clearingAccountId(exchange.currency)];
}

/** The account from which the command takes or reserves money: of its limit only a lock makes sure. */
export function debitedAccount({ action }: Command): string {
  return action.type === 'hold' ? action.accountId : action.fromAccountId;
}
