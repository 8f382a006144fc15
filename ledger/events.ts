import type { AccountEventKind } from '../kernel/contract/status.ts';
import { jsonAmount } from '../kernel/http/envelope.ts';
import type { OutboxRow } from '../kernel/outbox/append.ts';
import type { AccountRow, PostingRow, TransferRow } from './rows.ts';

/** Of a transfer: its only event, under its own id. @param userId Whose money it is. */
export function transferEvent(row: TransferRow, userId: string, requestId: string | undefined): OutboxRow {
  return {
    eventId: row.transfer_id,
    aggregateType: 'transfer',
    aggregateId: row.transfer_id,
    userId,
    sequence: 1n,
    eventType: `transfer.${row.kind}`,
    payload: {
      from_account_id: row.from_account_id,
      to_account_id: row.to_account_id,
      amount_minor: jsonAmount(row.amount_minor),
      currency: row.currency,
      to_amount_minor: jsonAmount(row.to_amount_minor),
      to_currency: row.to_currency,
      rate: row.rate,
    },
    headers: requestId === undefined ? {} : { request_id: requestId },
    createdAt: row.created_at,
  };
}

/**
 * Of a posting, numbered within its account as the posting is. `after` is the account's balance; with its hash a chain
 * is known outside of the database too.
 */
export function postingEvent(row: PostingRow, userId: string, eventId: string): OutboxRow {
  return {
    eventId,
    aggregateType: 'posting',
    aggregateId: row.account_id,
    userId,
    sequence: row.sequence,
    eventType: 'posting.posted',
    payload: {
      transfer_id: row.transfer_id,
      amount_minor: jsonAmount(row.amount_minor),
      currency: row.currency,
      after: { amount_minor: jsonAmount(row.balance_minor) },
      hash: row.hash,
    },
    headers: {},
    createdAt: row.created_at,
  };
}

/** Of an account as it was opened, or with its new status. */
export function accountEvent(
  row: Pick<AccountRow, 'account_id' | 'user_id' | 'currency' | 'kind' | 'status'>,
  change: { kind: AccountEventKind; eventId: string; sequence: bigint; at: Date },
): OutboxRow {
  const { account_id, user_id, currency, kind, status } = row;
  return {
    eventId: change.eventId,
    aggregateType: 'account',
    aggregateId: account_id,
    userId: user_id,
    sequence: change.sequence,
    eventType: `account.${change.kind}`,
    payload: { kind, status, currency, after: { status } },
    headers: {},
    createdAt: change.at,
  };
}
