import { AppError } from '../../kernel/http/errors.ts';
import { uuidv7 } from '../../kernel/uuid.ts';
import { agreementKey, endKey, type PaymentBooks, type PaymentEntry, refundKey, requestKey } from './books.ts';
import type { Confirmations } from './confirmations.ts';
import type { PaymentFaults } from './faults.ts';

export interface PaymentProviderDeps {
  kind: 'card' | 'wallet';
  books: PaymentBooks;
  faults: PaymentFaults;
  confirmations: Confirmations;
  now: () => Date;
  /** Base URL of the pages on which payers agree. */
  pageUrl: () => string;
}

export interface PaymentRequest {
  key: string;
  amount_minor: bigint;
  currency: string;
  callback_url: string | null;
}

/** A payment as the provider tells of it. */
export interface ShownPayment {
  key: string;
  reference: string;
  status: 'requires_action' | 'authorised' | 'captured' | 'declined' | 'canceled';
  /** Where the payer has to agree. */
  action_url: string | null;
  amount_minor: string;
  currency: string;
}

export interface ShownRefund {
  key: string;
  payment_key: string;
  reference: string;
  status: 'refunded';
  amount_minor: string;
  currency: string;
}

/** What a provider does, whatever the wire is like. Everything can be asked for again under the same key. */
export class SimulatedPaymentProvider {
  readonly #deps: PaymentProviderDeps;

  constructor(deps: PaymentProviderDeps) {
    this.#deps = deps;
  }

  /** Lets a payer agree who is due, and shows the payment. @throws AppError not_found */
  async look(key: string): Promise<ShownPayment> {
    const { books, kind } = this.#deps;
    const asked = books.find(requestKey(key));
    const end = books.find(endKey(key));
    if (asked?.type !== 'request') {
      // A key that was canceled before it came.
      if (end) return shown(end, 'canceled', null);
      throw new AppError('not_found', 'The provider knows nothing under this key.');
    }
    if (end) return shown(asked, endStatus(end), null);
    if (!asked.waits_for_payer || books.find(agreementKey(key))) return shown(asked, 'authorised', null);
    const isDue = asked.payer_at !== null && Date.parse(asked.payer_at) <= this.#deps.now().getTime();
    if (!isDue) return shown(asked, 'requires_action', `${this.#deps.pageUrl()}/${kind}/pay/${key}`);
    return this.agree(key);
  }

  /** The payer agrees: a card is then authorised, a wallet pays at once and says so. */
  async agree(key: string): Promise<ShownPayment> {
    const { books, kind } = this.#deps;
    const asked = books.find(requestKey(key));
    if (asked?.type !== 'request') throw new AppError('not_found', 'The provider knows nothing under this key.');
    if (books.find(endKey(key))) return this.look(key);
    await books.add({ ...this.#entryOf(asked), type: 'agreement' });
    if (kind === 'card') return this.look(key);
    const end = await books.add({ ...this.#entryOf(asked), type: 'capture' });
    const told = endStatus(end);
    if (asked.callback_url !== null && told !== 'canceled') {
      this.#deps.confirmations.send({ key, callbackUrl: asked.callback_url, status: told });
    }
    return this.look(key);
  }

  async request({ key, amount_minor, currency, callback_url }: PaymentRequest): Promise<ShownPayment> {
    const { books, faults, kind, now } = this.#deps;
    const settings = faults.get();
    const end = books.find(endKey(key));
    if (end && !books.find(requestKey(key))) return this.look(key);
    const waits = kind === 'wallet' || faults.isSo('challenge', key, settings.challenge_rate);
    const isAbandoned = faults.isSo('abandon', key, settings.abandon_rate);
    const entry = {
      key,
      reference: `${kind === 'card' ? 'crd' : 'wlt'}_${uuidv7(now().getTime())}`,
      amount_minor: String(amount_minor),
      currency,
      created_at: now().toISOString(),
    };
    const stored = await books.add({
      ...entry,
      type: 'request',
      waits_for_payer: waits,
      payer_at: waits && !isAbandoned ? new Date(now().getTime() + settings.payer_ms).toISOString() : null,
      callback_url,
    });
    if (stored.amount_minor !== entry.amount_minor || stored.currency !== currency) {
      throw new AppError('idempotency_key_reused', 'This key was used with another amount or currency.');
    }
    if (faults.isSo('decline', key, settings.decline_rate))
      await books.add({ ...this.#entryOf(stored), type: 'decline' });
    else if (waits && !isAbandoned) later(settings.payer_ms, () => this.look(key));
    return this.look(key);
  }

  /** Of a card: takes what was authorised. */
  async capture(key: string): Promise<ShownPayment> {
    const { books } = this.#deps;
    const payment = await this.look(key);
    if (payment.status !== 'authorised') return payment;
    await books.add({ ...this.#entryOf(books.find(requestKey(key))!), type: 'capture' });
    return this.look(key);
  }

  /** Also of a key that never came: what arrives under it later has no effect. */
  async cancel(key: string): Promise<ShownPayment> {
    const { books } = this.#deps;
    const asked = books.find(requestKey(key));
    const now = this.#deps.now().toISOString();
    const none = { key, reference: `void_${key}`, amount_minor: '0', currency: 'XXX', created_at: now };
    await books.add({ ...(asked ? this.#entryOf(asked) : none), type: 'cancel' });
    return this.look(key);
  }

  async refund(asked: { key: string; payment_key: string; amount_minor: bigint }): Promise<ShownRefund> {
    const { books } = this.#deps;
    const known = books.find(refundKey(asked.key));
    if (known) return this.lookForRefund(asked.key);
    const paid = books.find(endKey(asked.payment_key));
    const given = books
      .entries()
      .filter((entry) => entry.type === 'refund' && entry.key === asked.payment_key)
      .reduce((sum, entry) => sum + BigInt(entry.amount_minor), 0n);
    if (paid?.type !== 'capture' || given + asked.amount_minor > BigInt(paid.amount_minor)) {
      throw new AppError('refund_exceeds_payment', 'The payment has less left to refund.');
    }
    await books.add({
      ...paid,
      type: 'refund',
      refund_key: asked.key,
      reference: `rfd_${uuidv7(this.#deps.now().getTime())}`,
      amount_minor: String(asked.amount_minor),
      created_at: this.#deps.now().toISOString(),
    });
    return this.lookForRefund(asked.key);
  }

  /** @throws AppError not_found */
  async lookForRefund(key: string): Promise<ShownRefund> {
    const { books } = this.#deps;
    const entry = books.find(refundKey(key));
    if (!entry) throw new AppError('not_found', 'The provider knows no refund under this key.');
    const { key: payment_key, reference, amount_minor, currency } = entry;
    return { key, payment_key, reference, status: 'refunded', amount_minor, currency };
  }

  /** What the provider would ask the same reference for. */
  #entryOf({ key, reference, amount_minor, currency }: PaymentEntry) {
    return { key, reference, amount_minor, currency, created_at: this.#deps.now().toISOString() };
  }
}

function later(ms: number, work: () => Promise<unknown>): void {
  setTimeout(() => void work().catch(() => {}), ms).unref();
}

function endStatus({ type }: PaymentEntry): 'captured' | 'declined' | 'canceled' {
  if (type === 'capture') return 'captured';
  return type === 'decline' ? 'declined' : 'canceled';
}

function shown(
  { key, reference, amount_minor, currency }: PaymentEntry,
  status: ShownPayment['status'],
  actionUrl: string | null,
): ShownPayment {
  return { key, reference, status, action_url: actionUrl, amount_minor, currency };
}
