import {
  type DisputeBooks,
  type DisputeLife,
  isoTime,
  lifeOf,
  nothingBooked,
  type OrderBooks,
  type OrderGiven,
  type OrderLife,
  type ProviderTraffic,
  partOf,
  type RenderedWebhook,
} from './lives.ts';
import type { Random } from './random.ts';

// Longer than 300 lines because a provider is one file.

/**
 * What a merchant of Adyen sees that captures some payments by hand. No public source gives these shares: they are chosen so that each
 * kind of payment is ordinary traffic. Of orders, unless said otherwise.
 */
const shares = {
  /** Whose authorisation names no shopper. */
  guest: 0.3,
  /** Whose later events name the shopper again. */
  namedAgain: 0.1,
  /** Whose captures, refunds and cancellations have references of their own. */
  ownReferences: 0.05,
  refused: 0.1,
  /** Of refused ones: no other card is tried; the second authorisation is of another amount. */
  abandoned: 0.25,
  otherAmount: 0.2,
  giftCard: 0.03,
  canceled: 0.04,
  /** Whose account captures without a request, and tells of it all the same. */
  automatic: 0.3,
  toldAnyway: 0.2,
  captureFails: 0.01,
  captureRefused: 0.02,
  capturedInParts: 0.1,
  /** Of captured ones. */
  refunded: 0.08,
  refundTwice: 0.2,
  refundInFull: 0.3,
  refundRefused: 0.03,
  refundFails: 0.05,
  refundReversed: 0.02,
  /** Of disputes: announced first; defended, and then lost again or won by name; the rest is won by the time. */
  announced: 0.5,
  defended: 0.6,
  secondChargeback: 0.3,
  preArbitration: 0.2,
} as const;

/** The account that captures without a request; services that run here are told by runtime/merchant-accounts.ts. */
const automaticAccount = 'LabShop';

export const adyen: ProviderTraffic = { timeStepMs: 1_000, planOrder, renderOther };

interface Item {
  pspReference: string;
  originalReference: string;
  merchantReference: string;
  value: number;
  currency: string;
  eventCode: string;
  success: boolean;
  shopper: string | null;
  reason?: string;
  account: string;
}

function renderItem(item: Item, atMs: number): RenderedWebhook {
  const { pspReference, eventCode, account } = item;
  const success = String(item.success);
  const body = JSON.stringify({
    live: 'false',
    notificationItems: [
      {
        NotificationRequestItem: {
          additionalData: item.shopper === null ? {} : { shopperReference: item.shopper },
          pspReference,
          originalReference: item.originalReference,
          merchantAccountCode: account,
          merchantReference: item.merchantReference,
          amount: { value: item.value, currency: item.currency },
          eventCode,
          eventDate: isoTime(atMs),
          reason: item.reason ?? '',
          success,
        },
      },
    ],
  });
  return { path: 'adyen', body, providerEventId: `${pspReference}|${eventCode}|${success}|${account}` };
}

interface Authorisation {
  reference: string;
  minor: number;
}

function planOrder(given: OrderGiven): OrderLife {
  return new AdyenOrder(given);
}

class AdyenOrder implements OrderLife {
  readonly orderId: string;
  readonly between = null;
  readonly #given: OrderGiven;
  readonly #shopper: string | null;
  readonly #shopperLater: string | null;
  readonly #hasOwnReferences: boolean;
  readonly #isAutomatic: boolean;
  readonly #authorised: Authorisation[] = [];
  readonly #life = lifeOf<OrderBooks>({ ...nothingBooked, status: 'updated' });

  constructor(given: OrderGiven) {
    const { userId, random, token } = given;
    this.#given = given;
    this.orderId = `ord_${token()}`;
    this.#shopper = random.next() < shares.guest ? null : userId;
    this.#shopperLater = random.next() < shares.namedAgain ? this.#shopper : null;
    this.#hasOwnReferences = random.next() < shares.ownReferences;
    this.#isAutomatic = random.next() < shares.automatic;
    const minor = this.#planAuthorisations();
    if (minor === undefined) return;
    if (this.#isAutomatic) this.#planAutomatic(minor);
    else this.#planRest(minor);
  }

  get steps() {
    return this.#life.steps;
  }

  dispute(random: Random): DisputeLife {
    const { currency, token } = this.#given;
    const account = this.#account;
    return planDispute({ of: this.#authorised.at(-1)!, orderId: this.orderId, account, currency, token, random });
  }

  contradict(): ((atMs: number) => RenderedWebhook) | null {
    if (this.#shopper === null) return null;
    const { userId, amountMinor, token } = this.#given;
    return this.#render({
      pspReference: token(),
      originalReference: '',
      merchantReference: this.orderId,
      value: amountMinor,
      eventCode: 'AUTHORISATION',
      success: false,
      shopper: `${userId}x`,
    });
  }

  /** @returns what is authorised; undefined where the customer gives up */
  #planAuthorisations(): number | undefined {
    const { random } = this.#given;
    const { add } = this.#life;
    let minor = this.#given.amountMinor;
    if (random.next() < shares.refused) {
      add(this.#sayAuthorisation(minor, false));
      if (random.next() < shares.abandoned) return undefined;
      if (random.next() < shares.otherAmount) minor = partOf(minor, random);
    }
    const card = random.next() < shares.giftCard && minor > 1 ? partOf(minor, random) : minor;
    if (card < minor) add(this.#sayAuthorisation(minor - card, true), this.#booksAuthorised(minor - card));
    add(this.#sayAuthorisation(card, true), this.#booksAuthorised(minor));
    return minor;
  }

  #booksAuthorised(minor: number): Partial<OrderBooks> {
    if (!this.#isAutomatic) return { authorisedMinor: minor };
    return { status: 'success', authorisedMinor: minor, capturedMinor: minor };
  }

  /** What was authorised is captured without a request, unless it is canceled before. */
  #planAutomatic(minor: number): void {
    const { random } = this.#given;
    const draw = random.next();
    const [first] = this.#authorised;
    const isOne = this.#authorised.length === 1;
    if (draw < shares.canceled && isOne) {
      const books: Partial<OrderBooks> = { status: 'failed', authorisedMinor: 0, capturedMinor: 0 };
      this.#life.add(this.#sayLater('CANCELLATION', first!, minor), books);
      return;
    }
    if (random.next() < shares.toldAnyway) {
      for (const one of this.#authorised) this.#life.add(this.#sayLater('CAPTURE', one, one.minor));
    }
    if (draw > 1 - shares.captureFails && isOne) {
      this.#life.add(this.#sayLater('CAPTURE_FAILED', first!, minor), { status: 'failed', capturedMinor: 0 });
    } else if (random.next() < shares.refunded) this.#planRefunds(this.#authorised.at(-1)!);
  }

  #planRest(minor: number): void {
    const { random } = this.#given;
    const draw = random.next();
    if (draw < shares.canceled) this.#planCancellation(minor);
    else if (draw < shares.canceled + shares.captureFails && this.#authorised.length === 1)
      this.#planFailedCapture(minor);
    else {
      if (draw > 1 - shares.captureRefused) {
        this.#life.add(this.#sayLater('CAPTURE', this.#authorised[0]!, minor, { success: false }));
      }
      this.#planCaptures(minor, random.next() < shares.capturedInParts);
      if (random.next() < shares.refunded) this.#planRefunds(this.#authorised.at(-1)!);
    }
  }

  #planCancellation(minor: number): void {
    let left = minor;
    for (const [index, one] of this.#authorised.entries()) {
      left -= one.minor;
      const status = index === this.#authorised.length - 1 ? 'failed' : 'updated';
      this.#life.add(this.#sayLater('CANCELLATION', one, one.minor), { status, authorisedMinor: left });
    }
  }

  #planFailedCapture(minor: number): void {
    const reference = this.#given.token();
    const [of] = this.#authorised;
    const { add } = this.#life;
    add(this.#sayLater('CAPTURE', of!, minor, { reference }), { status: 'success', capturedMinor: minor });
    add(this.#sayLater('CAPTURE_FAILED', of!, minor, { reference }), { status: 'failed', capturedMinor: 0 });
  }

  #planCaptures(minor: number, inParts: boolean): void {
    let captured = 0;
    for (const one of this.#authorised) {
      const first = inParts && one.minor > 1 ? partOf(one.minor, this.#given.random) : one.minor;
      for (const part of first < one.minor ? [first, one.minor - first] : [first]) {
        captured += part;
        const status = captured === minor ? 'success' : 'updated';
        this.#life.add(this.#sayLater('CAPTURE', one, part), { status, capturedMinor: captured });
      }
    }
  }

  #planRefunds(of: Authorisation): void {
    const { random } = this.#given;
    const kind = random.next();
    if (kind < shares.refundRefused) {
      this.#life.add(this.#sayLater('REFUND', of, of.minor, { success: false }));
    } else if (kind < shares.refundRefused + shares.refundInFull || of.minor < 4) {
      this.#planRefund(of, of.minor, 0);
    } else if (kind < shares.refundRefused + shares.refundInFull + shares.refundTwice) {
      const half = partOf(Math.floor(of.minor / 2), random);
      this.#planRefund(of, half, this.#planRefund(of, half, 0));
    } else this.#planRefund(of, partOf(of.minor, random), 0);
  }

  /** @returns what is refunded in all */
  #planRefund(of: Authorisation, part: number, before: number): number {
    const { random, token } = this.#given;
    const reference = token();
    this.#life.add(this.#sayLater('REFUND', of, part, { reference }), { refundedMinor: before + part });
    const end = random.next();
    if (end >= shares.refundFails + shares.refundReversed) return before + part;
    const eventCode = end < shares.refundFails ? 'REFUND_FAILED' : 'REFUNDED_REVERSED';
    this.#life.add(this.#sayLater(eventCode, of, part, { reference }), { refundedMinor: before });
    return before;
  }

  #sayAuthorisation(minor: number, success: boolean) {
    const reference = this.#given.token();
    if (success) this.#authorised.push({ reference, minor });
    return this.#render({
      pspReference: reference,
      originalReference: '',
      merchantReference: this.orderId,
      value: minor,
      eventCode: 'AUTHORISATION',
      success,
      shopper: this.#shopper,
    });
  }

  #sayLater(
    eventCode: string,
    of: Authorisation,
    minor: number,
    { reference = this.#given.token(), success = true }: { reference?: string; success?: boolean } = {},
  ) {
    return this.#render({
      pspReference: reference,
      originalReference: of.reference,
      merchantReference: this.#hasOwnReferences ? `mod_${reference}` : this.orderId,
      value: minor,
      eventCode,
      success,
      shopper: this.#shopperLater,
    });
  }

  get #account(): string {
    return this.#isAutomatic ? automaticAccount : 'LabStore';
  }

  #render(item: Omit<Item, 'currency' | 'account'>): (atMs: number) => RenderedWebhook {
    const whole: Item = { ...item, currency: this.#given.currency, account: this.#account };
    return (atMs) => renderItem(whole, atMs);
  }
}

interface DisputeGiven {
  of: Authorisation;
  orderId: string;
  account: string;
  currency: string;
  token(): string;
  random: Random;
}

function planDispute({ of, orderId, account, currency, token, random }: DisputeGiven): DisputeLife {
  // Adyen's reference of a dispute stays the same through all its stages; each change of a payment has its own.
  const disputeId = token();
  const say = (eventCode: string) => {
    const item = {
      pspReference: disputeId,
      originalReference: of.reference,
      merchantReference: orderId,
      value: of.minor,
      currency,
      eventCode,
      success: true,
      shopper: null,
      reason: 'fraud',
      account,
    };
    return (atMs: number) => renderItem(item, atMs);
  };
  const { steps, add } = lifeOf<DisputeBooks>({ status: 'open', chargedBackMinor: 0 });
  if (random.next() < shares.announced) add(say('NOTIFICATION_OF_CHARGEBACK'));
  add(say('CHARGEBACK'), { chargedBackMinor: of.minor });
  if (random.next() >= shares.defended) return { disputeId, steps };
  add(say('CHARGEBACK_REVERSED'), { status: 'under_review', chargedBackMinor: 0 });
  const end = random.next();
  if (end < shares.secondChargeback) add(say('SECOND_CHARGEBACK'), { status: 'lost', chargedBackMinor: of.minor });
  else if (end < shares.secondChargeback + shares.preArbitration) add(say('PREARBITRATION_WON'), { status: 'won' });
  else add(say('ISSUER_RESPONSE_TIMEFRAME_EXPIRED'), { status: 'won' });
  return { disputeId, steps };
}

/** Two merchant accounts get reports of the same name, which is the name of a file and no PSP reference. */
function renderOther(token: string, atMs: number, random: Random): RenderedWebhook {
  const item = {
    pspReference: `settlement_detail_report_batch_${token}.csv`,
    originalReference: '',
    merchantReference: '',
    value: 0,
    currency: 'EUR',
    eventCode: 'REPORT_AVAILABLE',
    success: true,
    shopper: null,
    account: random.next() < 0.5 ? 'LabStore' : 'LabStoreUK',
  };
  return renderItem(item, atMs);
}
