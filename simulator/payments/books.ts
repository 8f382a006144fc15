import { type Books, openBooks } from '../provider/ledger.ts';

interface Entry {
  /** Of the payment, as the merchant chose it. */
  key: string;
  /** The provider's own. */
  reference: string;
  /** Digits: minor units of `currency`. */
  amount_minor: string;
  currency: string;
  /** RFC 3339, UTC. */
  created_at: string;
}

/** What a provider writes down, each once: what was asked for, that the payer agreed, how it ended, and refunds. */
export type PaymentEntry =
  | (Entry & { type: 'request'; waits_for_payer: boolean; payer_at: string | null; callback_url: string | null })
  | (Entry & { type: 'agreement' })
  | (Entry & { type: 'capture' })
  | (Entry & { type: 'cancel' })
  | (Entry & { type: 'decline' })
  /** `key` is the payment's; the refund has one of its own. */
  | (Entry & { type: 'refund'; refund_key: string });

/** Money that moved: what the lab's audit and the settlement files go by. */
export type Movement = Extract<PaymentEntry, { type: 'capture' | 'refund' }>;

export type PaymentBooks = Books<PaymentEntry>;

/** A payment ends in one way: capture, cancel and decline share their key. */
function entryKey(entry: PaymentEntry): string {
  if (entry.type === 'refund') return refundKey(entry.refund_key);
  return entry.type === 'request' || entry.type === 'agreement' ? `${entry.type} ${entry.key}` : endKey(entry.key);
}
export const requestKey = (key: string): string => `request ${key}`;
export const agreementKey = (key: string): string => `agreement ${key}`;
export const endKey = (key: string): string => `end ${key}`;
export const refundKey = (key: string): string => `refund ${key}`;

/** @throws Error for a line that cannot be read. */
export function openPaymentBooks(path: string): Promise<PaymentBooks> {
  return openBooks(path, entryKey);
}

export function movementsOf(books: PaymentBooks): Movement[] {
  return books.entries().filter((entry) => entry.type === 'capture' || entry.type === 'refund');
}
