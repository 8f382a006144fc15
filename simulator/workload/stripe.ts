import {
  type DisputeBooks,
  type DisputeLife,
  evidencePeriodMs,
  lifeOf,
  nothingBooked,
  type OrderGiven,
  type OrderLife,
  type ProviderTraffic,
  partOf,
  type RenderedWebhook,
} from './lives.ts';
import type { Random } from './random.ts';

// Longer than 300 lines because a provider is one file.

/**
 * What a merchant of Stripe sees. No public source gives these shares: they are chosen so that each kind of payment is
 * ordinary traffic. Of orders, unless said otherwise.
 */
const shares = {
  /** Whose user the merchant's metadata name from the start; of the rest, Stripe's customer, or only a later charge. */
  user: 0.55,
  customerOnly: 0.1,
  userLater: 0.1,
  /** Whose number only the intent's id is. */
  withoutOrderId: 0.15,
  declined: 0.1,
  /** Of declined ones: no other card is tried; of these, the merchant cancels. */
  abandoned: 0.25,
  canceled: 0.5,
  /** Of declined ones: the second charge is of another amount. */
  otherAmount: 0.2,
  pending: 0.15,
  manualCapture: 0.2,
  /** Of captures by hand: in part, expired, canceled; the rest in full. */
  partial: 0.1,
  expired: 0.03,
  voided: 0.05,
  /** Of captured ones. */
  updated: 0.5,
  refunded: 0.1,
  /** Of refunds: the whole amount, two equal parts, one part; and those that fail. */
  refundInFull: 0.3,
  refundTwice: 0.2,
  refundFails: 0.05,
  /** Of disputes. */
  warning: 0.1,
  partlyDisputed: 0.1,
  disputedAbove: 0.02,
  won: 0.4,
} as const;

export const stripe: ProviderTraffic = { timeStepMs: 1_000, planOrder, renderOther };

function renderEvent(token: string, type: string, object: object, atMs: number): RenderedWebhook {
  const id = `evt_${token}`;
  const created = Math.floor(atMs / 1000);
  const body = JSON.stringify({ id, object: 'event', type, created, data: { object }, pending_webhooks: 1 });
  return { path: 'stripe', body, providerEventId: id };
}

/** The state of one charge, of which each event carries all. Amounts are minor units. */
interface Charge {
  id: string;
  amount: number;
  status: 'pending' | 'succeeded' | 'failed';
  captured: boolean;
  amountCaptured: number;
  amountRefunded: number;
}

interface Payer {
  metadata: Record<string, string>;
  customer: string | null;
}

/** Who pays, as the events say it: the first one, and the later ones. */
function planPayer(userId: string, orderId: string | null, random: Random): { first: Payer; later: Payer } {
  const order: Record<string, string> = orderId === null ? {} : { order_id: orderId };
  const guest = { metadata: order, customer: null };
  const known = { metadata: { ...order, user_id: userId }, customer: `cus_${userId}` };
  const draw = random.next();
  if (draw < shares.user) return { first: known, later: known };
  if (draw < shares.user + shares.customerOnly) {
    const customer = { metadata: order, customer: `cus_${userId}` };
    return { first: customer, later: customer };
  }
  return { first: guest, later: draw < shares.user + shares.customerOnly + shares.userLater ? known : guest };
}

function planOrder(given: OrderGiven): OrderLife {
  return new StripeOrder(given);
}

/** A charge that waits, was declined or only holds the money. */
function uncaptured(charge: Charge, status: Charge['status']): Charge {
  return { ...charge, status, captured: false, amountCaptured: 0 };
}

class StripeOrder implements OrderLife {
  readonly orderId: string;
  readonly between = null;
  readonly #given: OrderGiven;
  readonly #intent: string;
  readonly #currency: string;
  readonly #payer: { first: Payer; later: Payer };
  readonly #life = lifeOf(nothingBooked);
  /** The last one that was tried, as it is after the last step. */
  #charge: Charge;

  constructor(given: OrderGiven) {
    const { userId, amountMinor, currency, random, token } = given;
    this.#given = given;
    this.#intent = `pi_${token()}`;
    this.#currency = currency.toLowerCase();
    const isNumbered = random.next() >= shares.withoutOrderId;
    this.orderId = isNumbered ? `ord_${token()}` : this.#intent;
    this.#payer = planPayer(userId, isNumbered ? this.orderId : null, random);
    this.#charge = this.#newCharge(amountMinor);
    if (this.#planAttempts() && this.#planCapture() && random.next() < shares.refunded) this.#planRefunds();
  }

  get steps() {
    return this.#life.steps;
  }

  dispute(random: Random): DisputeLife {
    const { token } = this.#given;
    return planDispute({ charge: this.#charge, intent: this.#intent, currency: this.#currency, token, random });
  }

  contradict(atStep: number): ((atMs: number) => RenderedWebhook) | null {
    const { metadata, customer } = atStep === 0 ? this.#payer.first : this.#payer.later;
    if (metadata.user_id === undefined) return null;
    const other = { metadata: { ...metadata, user_id: `${this.#given.userId}x` }, customer };
    return this.#render('charge.updated', this.#chargeObject(uncaptured(this.#charge, 'pending'), other));
  }

  /** @returns whether the last attempt goes on to its capture */
  #planAttempts(): boolean {
    const { amountMinor, random } = this.#given;
    const { add, steps } = this.#life;
    if (random.next() < shares.declined) {
      add(this.#sayCharge('charge.failed', uncaptured(this.#charge, 'failed')), { status: 'updated' });
      if (random.next() < shares.abandoned) {
        if (random.next() < shares.canceled) add(this.#sayCanceled(), { status: 'failed' });
        return false;
      }
      const isOther = random.next() < shares.otherAmount;
      this.#charge = this.#newCharge(isOther ? amountMinor + random.below(amountMinor) : amountMinor);
    }
    if (random.next() < shares.pending) {
      const status = steps.length === 0 ? 'created' : 'updated';
      add(this.#sayCharge('charge.pending', uncaptured(this.#charge, 'pending')), { status });
    }
    return true;
  }

  /** @returns whether anything is captured */
  #planCapture(): boolean {
    const { random } = this.#given;
    const { add } = this.#life;
    const charge = this.#charge;
    const { amount } = charge;
    if (random.next() < shares.manualCapture) return this.#planManualCapture();
    const paid = { status: 'success', authorisedMinor: amount, capturedMinor: amount } as const;
    add(this.#sayCharge('charge.succeeded', charge), paid);
    if (random.next() < shares.updated) add(this.#sayCharge('charge.updated', charge), {}, { isTogether: true });
    return true;
  }

  #planManualCapture(): boolean {
    const { random } = this.#given;
    const { add } = this.#life;
    const { amount } = this.#charge;
    const held = uncaptured(this.#charge, 'succeeded');
    const released = { ...held, amountRefunded: amount };
    add(this.#sayCharge('charge.succeeded', held), { status: 'updated', authorisedMinor: amount });
    const draw = random.next();
    if (draw < shares.expired) {
      add(this.#sayCharge('charge.expired', released), { status: 'failed', authorisedMinor: 0 });
      return false;
    }
    if (draw < shares.expired + shares.voided) {
      // Stripe tells of an authorisation that the merchant gives back as of a refund, although nothing was taken.
      add(this.#sayCharge('charge.refunded', released), { status: 'failed', authorisedMinor: 0 });
      add(this.#sayCanceled(), {}, { isTogether: true });
      return false;
    }
    const isPartial = draw < shares.expired + shares.voided + shares.partial;
    const captured = isPartial ? partOf(amount, random) : amount;
    // What is not captured is given back, which Stripe books as a refund too.
    this.#charge = { ...this.#charge, amountCaptured: captured, amountRefunded: amount - captured };
    add(this.#sayCharge('charge.captured', this.#charge), { status: 'success', capturedMinor: captured });
    return true;
  }

  #planRefunds(): void {
    const { random } = this.#given;
    const captured = this.#charge.amountCaptured;
    const draw = random.next();
    if (draw < shares.refundInFull || captured < 4) this.#planRefund(captured);
    else if (draw < shares.refundInFull + shares.refundTwice) {
      const half = partOf(Math.floor(captured / 2), random);
      this.#planRefund(half);
      this.#planRefund(half);
    } else this.#planRefund(partOf(captured, random));
  }

  #planRefund(minor: number): void {
    const { random, token } = this.#given;
    const { add } = this.#life;
    const before = this.#charge;
    const released = before.amount - before.amountCaptured;
    // Stripe's refunds do not repeat the metadata of their charge.
    const refund = {
      id: `re_${token()}`,
      object: 'refund',
      amount: minor,
      currency: this.#currency,
      charge: before.id,
      payment_intent: this.#intent,
      metadata: {},
    };
    this.#charge = { ...before, amountRefunded: before.amountRefunded + minor };
    const refundedMinor = this.#charge.amountRefunded - released;
    add(this.#render('refund.created', { ...refund, status: 'succeeded' }), { refundedMinor });
    add(this.#sayCharge('charge.refunded', this.#charge), {}, { isTogether: true });
    if (random.next() >= shares.refundFails) return;
    this.#charge = before;
    const failed = this.#render('refund.failed', { ...refund, status: 'failed' });
    add(failed, { refundedMinor: before.amountRefunded - released });
  }

  #newCharge(amount: number): Charge {
    const id = `ch_${this.#given.token()}`;
    return { id, amount, status: 'succeeded', captured: true, amountCaptured: amount, amountRefunded: 0 };
  }

  #sayCharge(type: string, charge: Charge) {
    return this.#render(type, this.#chargeObject(charge, this.#nextPayer()));
  }

  #sayCanceled() {
    const object = { id: this.#intent, object: 'payment_intent', status: 'canceled' };
    const money = { amount: this.#given.amountMinor, currency: this.#currency };
    return this.#render('payment_intent.canceled', { ...object, ...money, ...this.#nextPayer() });
  }

  #nextPayer(): Payer {
    return this.#life.steps.length === 0 ? this.#payer.first : this.#payer.later;
  }

  #chargeObject(charge: Charge, { metadata, customer }: Payer): object {
    return {
      id: charge.id,
      object: 'charge',
      status: charge.status,
      captured: charge.captured,
      amount: charge.amount,
      amount_captured: charge.amountCaptured,
      amount_refunded: charge.amountRefunded,
      currency: this.#currency,
      payment_intent: this.#intent,
      customer,
      metadata,
    };
  }

  #render(type: string, object: object): (atMs: number) => RenderedWebhook {
    const eventToken = this.#given.token();
    return (atMs) => renderEvent(eventToken, type, object, atMs);
  }
}

interface DisputeGiven {
  charge: Charge;
  intent: string;
  currency: string;
  token(): string;
  random: Random;
}

function planDispute({ charge, intent, currency, token, random }: DisputeGiven): DisputeLife {
  const disputeId = `du_${token()}`;
  const draw = random.next();
  const isWarning = draw < shares.warning;
  let minor = charge.amountCaptured;
  if (draw > 1 - shares.disputedAbove) minor += 100;
  else if (draw > 1 - shares.disputedAbove - shares.partlyDisputed && minor > 1) minor = partOf(minor, random);
  let openedAtMs = 0;
  const say = (type: string, status: string) => {
    const eventToken = token();
    return (atMs: number) => {
      openedAtMs ||= atMs;
      const object = {
        id: disputeId,
        object: 'dispute',
        status: isWarning ? `warning_${status}` : status,
        reason: 'fraudulent',
        amount: minor,
        currency,
        charge: charge.id,
        payment_intent: intent,
        evidence_details: { due_by: Math.floor((openedAtMs + evidencePeriodMs) / 1000) },
        metadata: {},
      };
      return renderEvent(eventToken, `charge.dispute.${type}`, object, atMs);
    };
  };
  const { steps, add } = lifeOf<DisputeBooks>({ status: 'open', chargedBackMinor: 0 });
  add(say('created', 'needs_response'));
  if (isWarning) {
    add(say('closed', 'closed'), { status: 'closed' });
    return { disputeId, steps };
  }
  add(say('funds_withdrawn', 'needs_response'), { chargedBackMinor: minor }, { isTogether: true });
  add(say('updated', 'under_review'), { status: 'under_review' });
  const outcome = random.next() < shares.won ? 'won' : 'lost';
  add(say('closed', outcome), { status: outcome });
  if (outcome === 'won') add(say('funds_reinstated', 'won'), { chargedBackMinor: 0 }, { isTogether: true });
  return { disputeId, steps };
}

/** Half of what moves no order is of the kind that carries no object. */
function renderOther(token: string, atMs: number, random: Random): RenderedWebhook {
  if (random.next() < 0.5) {
    return renderEvent(token, 'customer.updated', { id: `cus_${token}`, object: 'customer', email: null }, atMs);
  }
  const id = `evt_${token}`;
  const body = JSON.stringify({
    id,
    object: 'v2.core.event',
    type: 'v1.billing.meter.no_meter_found',
    created: new Date(atMs).toISOString(),
    livemode: false,
    related_object: null,
  });
  return { path: 'stripe', body, providerEventId: id };
}
