import type { TransferKind } from '../kernel/contract/status.ts';
import type { NarrowedRow, RowOf } from '../kernel/postgres/columns.ts';

export const accountKinds = ['wallet', 'merchant', 'clearing', 'fees', 'external'] as const;
export type AccountKind = (typeof accountKinds)[number];
export const accountStatuses = ['active', 'frozen', 'closed'] as const;
export type AccountStatus = (typeof accountStatuses)[number];

/** An account as it is stored; its hash in hexadecimal digits. */
export type AccountRow = Omit<
  NarrowedRow<'accounts', { kind: AccountKind; status: AccountStatus; chain_hash: string }>,
  'event_sequence'
>;

/** A posting as it is stored; its hash in hexadecimal digits. */
export type PostingRow = NarrowedRow<'postings', { hash: string }>;

export type TransferRow = NarrowedRow<'transfers', { kind: TransferKind }>;

/** A leg that waits to become a posting. */
export type DeltaRow = RowOf<
  'balance_deltas',
  'account_id' | 'transfer_id' | 'amount_minor' | 'currency' | 'created_at'
>;

export type HoldRow = NarrowedRow<'holds', { status: 'active' | 'released' | 'captured' }>;

/** A stored answer; its body is JSON. */
export type KeyRow = NarrowedRow<'idempotency_keys', { request_sha256: string }>;

/** An account with the legs that have not been posted to it yet. */
export interface AccountWithPending extends AccountRow {
  pending_minor: bigint;
}
