import { type Principal, seesAll } from '../../kernel/access/principal.ts';
import { AppError, fieldRefusal } from '../../kernel/http/errors.ts';
import type { Committed } from '../../kernel/postgres/transaction.ts';
import { uuidv7 } from '../../kernel/uuid.ts';
import { accountNotFound } from '../../ledger/refusals.ts';
import type { AccountStatus, AccountWithPending } from '../../ledger/rows.ts';
import type { LedgerStore } from '../../ledger/store/ledger-store.ts';
import type { OpenAccountBody } from './schemas.ts';

export interface AccountDeps {
  accounts: LedgerStore;
  now: () => Date;
}

/** Opens an account. @throws AppError forbidden where a customer asks for what only an operator may open. */
export async function openAccount(
  { accounts, now: clock }: AccountDeps,
  principal: Principal,
  body: OpenAccountBody,
): Promise<Committed<AccountWithPending>> {
  const { currency, kind, user_id = principal.userId, overdraft_limit_minor } = body;
  if (!seesAll(principal)) {
    if (user_id !== principal.userId) throw forbidden('user_id', 'leave it out: customers open accounts of their own');
    if (kind !== 'wallet' && kind !== 'merchant') throw forbidden('kind', 'must be wallet or merchant');
    if (overdraft_limit_minor > 0) throw forbidden('overdraft_limit_minor', 'is for operators to give');
  }
  const now = clock();
  const isLimited = kind !== 'clearing' && kind !== 'external';
  return accounts.open({
    account_id: `acc_${uuidv7(now.getTime())}`,
    user_id,
    currency,
    kind,
    overdraft_limit_minor: isLimited ? BigInt(overdraft_limit_minor) : null,
    created_at: now,
  });
}

function forbidden(field: string, reason: string): AppError {
  return fieldRefusal('forbidden', field, reason);
}

/**
 * Freezes an account, thaws or closes it. @throws AppError account_not_found; account_closed, which is final;
 * account_not_empty
 */
export async function changeStatus(
  { accounts, now }: AccountDeps,
  accountId: string,
  status: AccountStatus,
): Promise<Committed<AccountWithPending>> {
  return accounts.setStatus(accountId, status, now(), (row, { pendingMinor, isRefunded }) => {
    if (row.status === 'closed' && status !== 'closed') {
      throw new AppError('account_closed', `Account ${accountId} is closed, which is final.`);
    }
    if (status !== 'closed') return;
    if (row.balance_minor !== 0n || row.held_minor !== 0n || pendingMinor !== 0n) {
      throw new AppError('account_not_empty', `Account ${accountId} still has money or holds.`);
    }
    if (isRefunded) throw new AppError('account_not_empty', `Account ${accountId} waits for a refund.`);
  });
}

/** @throws AppError account_not_found where there is none, or it is another user's. */
export function visibleAccount(account: AccountWithPending | undefined, principal: Principal): AccountWithPending {
  if (!account || (account.user_id !== principal.userId && !seesAll(principal))) throw accountNotFound();
  return account;
}
