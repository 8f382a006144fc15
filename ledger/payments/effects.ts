import type { Book } from '../book.ts';
import { externalAccountId } from '../command.ts';
import type { PaymentFact, PaymentRow } from './rows.ts';

/** The accounts whose money the facts move or set free. */
export function accountsOfFacts(payment: PaymentRow, facts: readonly PaymentFact[]): string[] {
  const kinds = facts.map(({ kind }) => kind);
  if (kinds.includes('completed') || kinds.includes('refunded')) {
    return [payment.account_id, externalAccountId(payment.currency)];
  }
  return kinds.includes('failed') || kinds.includes('canceled') ? [payment.account_id] : [];
}

/** How a hold ends by a fact, if it does. */
export function holdEndOf({ kind }: PaymentFact): 'captured' | 'released' | undefined {
  if (kind === 'completed') return 'captured';
  return kind === 'failed' || kind === 'canceled' ? 'released' : undefined;
}

/**
 * What a fact does to the accounts. The status of an account is not asked for: what was reserved may be taken, and what
 * the provider gave back is the account's.
 */
export function book(books: Book, payment: PaymentRow, fact: PaymentFact, now: Date): void {
  const { account_id, amount_minor } = payment;
  if (holdEndOf(fact)) books.reserve(books.find(account_id, 'account_id'), -amount_minor);
  if (fact.kind === 'completed')
    move(books, payment, { kind: 'payment', id: fact.data.transfer_id, amount_minor }, now);
  if (fact.kind === 'refunded') {
    const { transfer_id: id, amount_minor: refunded } = fact.data;
    move(books, payment, { kind: 'refund', id, amount_minor: BigInt(refunded) }, now);
  }
}

/** The ledger's legs of money that leaves to the provider, or comes back from it. */
function move(
  books: Book,
  { payment_id, account_id, currency }: PaymentRow,
  { kind, id, amount_minor }: { kind: 'payment' | 'refund'; id: string; amount_minor: bigint },
  now: Date,
): void {
  const outside = externalAccountId(currency);
  const [from, to] = kind === 'payment' ? [account_id, outside] : [outside, account_id];
  const [payer, payee] = [books.find(from, 'account_id'), books.find(to, 'account_id')];
  books.checkRoom(payer, -amount_minor);
  books.checkRoom(payee, amount_minor);
  const row = {
    transfer_id: id,
    kind,
    from_account_id: from,
    to_account_id: to,
    amount_minor,
    currency,
    to_amount_minor: amount_minor,
    to_currency: currency,
    rate: null,
    reference: payment_id,
    created_at: now,
  };
  books.add(row, undefined);
  books.post(payer, id, -amount_minor);
  books.post(payee, id, amount_minor);
}
