import { jsonAmount } from '../kernel/http/envelope.ts';
import type { AccountRow, AccountWithPending, HoldRow, PostingRow, TransferRow } from './rows.ts';

/** An account as clients see it. */
export function shownAccount({ chain_hash: _internal, pending_minor, ...row }: AccountWithPending) {
  return { ...row, ...amounts({ ...row, pending_minor }) };
}

/** The money of an account, with legs that wait to be posted. */
export function shownBalance(row: AccountWithPending) {
  return { account_id: row.account_id, currency: row.currency, ...amounts(row), version: row.version };
}

function amounts(
  row: Pick<AccountRow, 'balance_minor' | 'held_minor' | 'overdraft_limit_minor'> & { pending_minor: bigint },
) {
  const { held_minor, overdraft_limit_minor, pending_minor } = row;
  const balance_minor = row.balance_minor + pending_minor;
  return {
    balance_minor,
    held_minor,
    available_minor: overdraft_limit_minor === null ? null : balance_minor - held_minor + overdraft_limit_minor,
    pending_minor,
  };
}

/** A transfer without trailing zeros behind the point of its rate. */
export function shownTransfer({ rate, ...row }: TransferRow) {
  const [amount_minor, to_amount_minor] = [jsonAmount(row.amount_minor), jsonAmount(row.to_amount_minor)];
  return { ...row, amount_minor, to_amount_minor, rate: rate === null ? null : shownRate(String(rate)) };
}

function shownRate(rate: string): string {
  return rate.includes('.') ? rate.replace(/\.?0+$/, '') : rate;
}

export function shownHold(row: HoldRow) {
  return { ...row, amount_minor: jsonAmount(row.amount_minor) };
}

export function shownPosting({ hash, ...row }: PostingRow) {
  return { ...row, hash };
}
