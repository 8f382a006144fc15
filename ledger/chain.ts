import { createHash } from 'node:crypto';
import type { PostingRow } from './rows.ts';

/**
 * The hash of a posting, in hexadecimal digits: SHA-256 of the hash before it and of the row as text. check_postings() in
 * sql/base computes the same, and so does the audit.
 */
export function postingHash(previous: string, row: Omit<PostingRow, 'hash'>): string {
  const { account_id, sequence, transfer_id, amount_minor, currency, balance_minor, created_at } = row;
  const text = [account_id, sequence, transfer_id, amount_minor, currency, balance_minor, created_at.getTime()].join(
    '|',
  );
  return createHash('sha256').update(Buffer.from(previous, 'hex')).update(text).digest('hex');
}
