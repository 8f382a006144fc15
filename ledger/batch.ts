import type { AppError } from '../kernel/http/errors.ts';
import type { OutboxRow } from '../kernel/outbox/append.ts';
import type { AccountRow, DeltaRow, HoldRow, KeyRow, PostingRow, TransferRow } from './rows.ts';

/** What a batch needs to know before it is decided. */
export interface LoadedLedger {
  /** Rows that are locked until the transaction ends, and with them the right to number their postings. */
  locked: readonly AccountRow[];
  /** Rows whose status and limit stay as they are until the transaction ends. Legs wait for them as deltas. */
  shared: readonly AccountRow[];
  /** Legs that wait for the locked accounts. */
  deltas: readonly DeltaRow[];
  keys: readonly KeyRow[];
  /** Keys with which another transaction is at work, by `keyName`. */
  busyKeys: ReadonlySet<string>;
}

/** The answer to a command. Refusals are answers too. */
export interface Answer {
  status: number;
  /** JSON: object and data; of a refusal code, message and details. */
  body: string;
  /** Whether it was given before. */
  replayed: boolean;
}

/** Everything that one transaction writes. */
export interface LedgerChanges {
  answers: (Answer | { error: AppError })[];
  accounts: AccountRow[];
  transfers: TransferRow[];
  postings: PostingRow[];
  deltas: DeltaRow[];
  /** Legs that have become postings. */
  folded: DeltaRow[];
  holds: HoldRow[];
  keys: KeyRow[];
  /** For the outside, of transfers and postings. */
  events: OutboxRow[];
}

export interface DecideOptions {
  now: Date;
  newId: (nowMs: number) => string;
}
