import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ContractEvent, ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import { adyen } from '../../kernel/providers/adyen.ts';
import { stripe } from '../../kernel/providers/stripe.ts';
import { carry, nothing } from '../../test/webhooks/carry.ts';
import type { BatchChanges, Loaded } from './batch.ts';
import { decideBatch } from './decide.ts';
import type { OrderState } from './state.ts';

// Longer than 300 lines because the table of payment lives is one list.

/** One webhook as its provider would send it; `at` counts minutes. */
type Sent = Record<string, unknown> & { at?: number };

const start = Date.UTC(2026, 0, 1);
const receivedAt = new Date(Date.UTC(2026, 0, 2));
let serial = 0;

function adyenItem({ at = 0, value = 1000, currency = 'EUR', success = true, ...fields }: Sent): ReceivedWebhook {
  const item = {
    merchantAccountCode: 'Shop',
    merchantReference: 'ord_1',
    eventDate: new Date(start + at * 60_000).toISOString(),
    amount: { value, currency },
    success: String(success),
    ...fields,
  };
  return received('adyen', adyen.paths.adyen!({ notificationItems: [{ NotificationRequestItem: item }] })[0]!);
}

function stripeEvent({ at = 0, type, ...object }: Sent): ReceivedWebhook {
  const event = { id: `evt_${++serial}`, object: 'event', type, created: start / 1_000 + at * 60, data: { object } };
  return received('stripe', stripe.paths.stripe!(event)[0]!);
}

const charge = (type: string, change: Sent) =>
  stripeEvent({
    type,
    object: 'charge',
    id: 'ch_1',
    amount: 1000,
    currency: 'eur',
    status: 'succeeded',
    captured: true,
    payment_intent: 'pi_1',
    customer: null,
    metadata: { order_id: 'ord_1' },
    ...change,
  });
const refund = (type: string, id: string, amount: number, status: string, at: number) =>
  stripeEvent({
    type,
    object: 'refund',
    id,
    amount,
    currency: 'eur',
    status,
    charge: 'ch_1',
    payment_intent: 'pi_1',
    at,
  });
const dispute = (type: string, change: Sent) =>
  stripeEvent({
    type,
    object: 'dispute',
    id: 'du_1',
    amount: 1000,
    currency: 'eur',
    status: 'needs_response',
    reason: 'fraudulent',
    charge: 'ch_1',
    payment_intent: 'pi_1',
    ...change,
  });

const authorise = (psp: string, change: Sent = {}) =>
  adyenItem({ eventCode: 'AUTHORISATION', pspReference: psp, ...change });
const modify = (eventCode: string, psp: string, original: string, change: Sent = {}) =>
  adyenItem({ eventCode, pspReference: psp, originalReference: original, at: 1, ...change });

function received(provider: string, event: ContractEvent): ReceivedWebhook {
  const { providerEventId } = event;
  return { provider, event, bodySha256: providerEventId, body: '', receivedAt, requestId: 'r', isReleased: false };
}

/** Applies webhooks one by one, as the database would carry the state from one transaction to the next. */
function applyEach(webhooks: readonly ReceivedWebhook[]): { loaded: Loaded; changes: BatchChanges[] } {
  let loaded = nothing;
  const changes = webhooks.map((webhook) => {
    const decided = decideBatch([webhook], loaded, { now: receivedAt, newId: () => 'id' });
    loaded = carry(loaded, [webhook], decided);
    return decided;
  });
  return { loaded, changes };
}

type Expected = Partial<OrderState>;

/** The order and what stays behind, after the webhooks have come in this order. */
function outcome(webhooks: readonly ReceivedWebhook[]) {
  const { loaded, changes } = applyEach(webhooks);
  return {
    order: loaded.orders.get('ord_1'),
    disputes: [...loaded.disputes.values()],
    parked: loaded.parked,
    quarantined: changes.flatMap((one) => one.quarantine),
  };
}

const paid = (minor: bigint): Expected => ({ status: 'success', amountMinor: minor, capturedMinor: minor });

const lives: [string, ReceivedWebhook[], Expected][] = [
  [
    'Adyen: the shopper is named once, and is the same one where no event names it again',
    [authorise('A1', { additionalData: { shopperReference: 'shopper_1' } }), modify('CAPTURE', 'C1', 'A1')],
    { ...paid(1000n), userId: 'shopper_1' },
  ],
  [
    'Adyen: two captures pay in full',
    [authorise('A1'), modify('CAPTURE', 'C1', 'A1', { value: 600 }), modify('CAPTURE', 'C2', 'A1', { value: 400 })],
    paid(1000n),
  ],
  [
    'Adyen: one capture of two pays in part',
    [authorise('A1'), modify('CAPTURE', 'C1', 'A1', { value: 600 })],
    { status: 'updated', amountMinor: 1000n, capturedMinor: 600n },
  ],
  [
    'Adyen: a refused attempt and a smaller one that is paid',
    [
      authorise('A1', { success: false }),
      authorise('A2', { value: 800, at: 1 }),
      modify('CAPTURE', 'C2', 'A2', { value: 800, at: 2 }),
    ],
    paid(800n),
  ],
  [
    'Adyen: a gift card and a card',
    [
      authorise('G1', { value: 300 }),
      authorise('A1', { value: 700 }),
      modify('CAPTURE', 'C1', 'G1', { value: 300 }),
      modify('CAPTURE', 'C2', 'A1', { value: 700 }),
    ],
    paid(1000n),
  ],
  [
    'Adyen: a capture with a merchantReference of its own',
    [authorise('A1'), modify('CAPTURE', 'C1', 'A1', { merchantReference: 'ord_1-shipment-1' })],
    paid(1000n),
  ],
  [
    'Adyen: a capture that fails after it had succeeded, in the same second',
    [authorise('A1'), modify('CAPTURE', 'C1', 'A1'), modify('CAPTURE_FAILED', 'C1', 'A1')],
    { status: 'failed', capturedMinor: 0n, authorisedMinor: 1000n },
  ],
  [
    'Adyen: a second capture makes good for one that failed',
    [
      authorise('A1'),
      modify('CAPTURE', 'C1', 'A1'),
      modify('CAPTURE_FAILED', 'C1', 'A1', { at: 2 }),
      modify('CAPTURE', 'C2', 'A1', { at: 3 }),
    ],
    paid(1000n),
  ],
  [
    'Adyen: a cancellation',
    [authorise('A1'), modify('CANCELLATION', 'X1', 'A1')],
    { status: 'failed', authorisedMinor: 0n, capturedMinor: 0n },
  ],
  [
    'Adyen: a refund in part',
    [authorise('A1'), modify('CAPTURE', 'C1', 'A1'), modify('REFUND', 'R1', 'A1', { value: 300, at: 2 })],
    { ...paid(1000n), refundedMinor: 300n },
  ],
  [
    'Adyen: two equal refunds',
    [
      authorise('A1'),
      modify('CAPTURE', 'C1', 'A1'),
      modify('REFUND', 'R1', 'A1', { value: 300, at: 2 }),
      modify('REFUND', 'R2', 'A1', { value: 300, at: 2 }),
    ],
    { ...paid(1000n), refundedMinor: 600n },
  ],
  [
    'Adyen: a refund that failed',
    [
      authorise('A1'),
      modify('CAPTURE', 'C1', 'A1'),
      modify('REFUND', 'R1', 'A1', { at: 2 }),
      modify('REFUND_FAILED', 'R1', 'A1', { at: 3 }),
    ],
    { ...paid(1000n), refundedMinor: 0n },
  ],
  [
    'Adyen: a refund that came back',
    [
      authorise('A1'),
      modify('CAPTURE', 'C1', 'A1'),
      modify('REFUND', 'R1', 'A1', { at: 2 }),
      modify('REFUNDED_REVERSED', 'R1', 'A1', { at: 3 }),
    ],
    { ...paid(1000n), refundedMinor: 0n },
  ],
  [
    'Stripe: a guest whose customer becomes known',
    [
      charge('charge.failed', { status: 'failed', captured: false }),
      charge('charge.succeeded', { id: 'ch_2', customer: 'cus_1', at: 1 }),
    ],
    { ...paid(1000n), userId: 'guest:ord_1', customerId: 'cus_1' },
  ],
  [
    'Stripe: metadata.user_id comes later',
    [
      charge('charge.pending', { status: 'pending', captured: false }),
      charge('charge.succeeded', { metadata: { order_id: 'ord_1', user_id: 'usr_1' }, at: 1 }),
    ],
    { ...paid(1000n), customerId: 'usr_1' },
  ],
  [
    'Stripe: a failed charge and a larger one that succeeds',
    [
      charge('charge.failed', { status: 'failed', captured: false }),
      charge('charge.succeeded', { id: 'ch_2', amount: 1200, at: 1 }),
    ],
    paid(1200n),
  ],
  [
    'Stripe: less is captured than was authorised',
    [
      charge('charge.succeeded', { captured: false, amount_captured: 0 }),
      charge('charge.captured', { amount_captured: 800, at: 1 }),
    ],
    { status: 'success', amountMinor: 1000n, capturedMinor: 800n },
  ],
  [
    'Stripe: an authorisation expires',
    [
      charge('charge.succeeded', { captured: false }),
      charge('charge.expired', { captured: false, amount_refunded: 1000, at: 1 }),
    ],
    { status: 'failed', authorisedMinor: 0n, capturedMinor: 0n, refundedMinor: 0n },
  ],
  [
    'Stripe: an authorisation that the merchant gives back was never taken',
    [
      charge('charge.succeeded', { captured: false }),
      charge('charge.refunded', { captured: false, amount_refunded: 1000, at: 1 }),
      refund('refund.created', 're_1', 1000, 'succeeded', 1),
    ],
    { status: 'failed', authorisedMinor: 0n, capturedMinor: 0n, refundedMinor: 0n },
  ],
  [
    'Stripe: what a capture in part leaves is released as by a refund, and was never taken',
    [
      charge('charge.succeeded', { captured: false }),
      charge('charge.captured', { amount_captured: 600, amount_refunded: 400, at: 1 }),
      refund('refund.created', 're_1', 400, 'succeeded', 1),
      charge('charge.refunded', { amount_captured: 600, amount_refunded: 500, at: 2 }),
    ],
    { status: 'success', amountMinor: 1000n, capturedMinor: 600n, refundedMinor: 100n },
  ],
  [
    'Stripe: refunds in part, two of them equal, one failed',
    [
      charge('charge.succeeded', {}),
      refund('refund.created', 're_1', 200, 'succeeded', 1),
      refund('refund.created', 're_2', 200, 'succeeded', 1),
      refund('refund.created', 're_3', 100, 'pending', 2),
      refund('refund.failed', 're_3', 100, 'failed', 3),
    ],
    { ...paid(1000n), refundedMinor: 400n },
  ],
  [
    'Stripe: only the charge says what was refunded',
    [
      charge('charge.succeeded', {}),
      charge('charge.refunded', { amount_refunded: 200, at: 1 }),
      charge('charge.refunded', { amount_refunded: 500, at: 2 }),
    ],
    { ...paid(1000n), refundedMinor: 500n },
  ],
  [
    'Stripe: the charge says so, and one refund fails later',
    [
      charge('charge.succeeded', {}),
      charge('charge.refunded', { amount_refunded: 500, at: 1 }),
      refund('refund.failed', 're_1', 300, 'failed', 2),
    ],
    { ...paid(1000n), refundedMinor: 200n },
  ],
  [
    'Stripe: a refund that begins after the last sum is added to it',
    [
      charge('charge.succeeded', { captured: false }),
      charge('charge.captured', { amount_captured: 600, amount_refunded: 400, at: 1 }),
      refund('refund.created', 're_1', 100, 'pending', 2),
      refund('refund.updated', 're_1', 100, 'succeeded', 3),
      refund('refund.created', 're_2', 50, 'pending', 2),
      refund('refund.failed', 're_2', 50, 'failed', 4),
    ],
    { status: 'success', capturedMinor: 600n, refundedMinor: 100n },
  ],
  [
    'any: a time in the year 9999 rules nothing',
    [
      authorise('A1', { eventDate: '9999-12-31T23:59:59Z' }),
      modify('CAPTURE', 'C1', 'A1'),
      modify('REFUND', 'R1', 'A1', { value: 1000, at: 2 }),
    ],
    { ...paid(1000n), refundedMinor: 1000n },
  ],
];

describe('how an order is paid', () => {
  test.each(lives)('%s', (_name, webhooks, expected) => {
    expect(outcome(webhooks)).toMatchObject({ order: expected, parked: [], quarantined: [] });
  });

  test.each(lives)('%s: in any order, with repetitions', (_name, webhooks, expected) => {
    const arrival = fc.shuffledSubarray([...webhooks, ...webhooks], { minLength: webhooks.length * 2 });
    const { userId: _first, customerId: _then, ...rest } = expected;
    fc.assert(
      fc.property(arrival, (arrived) => {
        const { order, parked, quarantined } = outcome(arrived);
        expect({ order, parked, quarantined }).toMatchObject({ order: rest, parked: [], quarantined: [] });
      }),
      { numRuns: 60 },
    );
  });

  test('one event of each order of a batch counts as it does alone', () => {
    for (const [, webhooks, expected] of lives) {
      const decided = decideBatch(webhooks, nothing, { now: receivedAt, newId: () => 'id' });
      expect(decided.newOrders.get('ord_1')).toMatchObject(expected);
    }
  });

  test('two users who are both named are a contradiction, whichever comes first; a missing one never is', () => {
    const named = (user: string | null, id: string) => charge('charge.updated', { id, customer: user });
    expect(outcome([named('cus_1', 'ch_1'), named('cus_2', 'ch_2')]).quarantined).toHaveLength(1);
    expect(outcome([named(null, 'ch_1'), named('cus_1', 'ch_2'), named('cus_2', 'ch_3')]).quarantined).toHaveLength(1);
    expect(outcome([named('cus_1', 'ch_1'), named(null, 'ch_2'), named('cus_1', 'ch_3')]).quarantined).toEqual([]);
  });

  test('money of another currency is a contradiction; a declined attempt in one is none', () => {
    const other = { value: 900, currency: 'USD' };
    expect(outcome([authorise('A1'), authorise('A2', other)]).quarantined).toHaveLength(1);
    expect(outcome([authorise('A1', { success: false }), authorise('A2', other)])).toMatchObject({
      order: { amountMinor: 900n, currency: 'USD' },
      quarantined: [],
    });
  });
});

describe('what a dispute costs', () => {
  test.each<[string, ReceivedWebhook[], object]>([
    [
      'Adyen: a chargeback without the shopper, of more than the order',
      [
        authorise('A1', { additionalData: { shopperReference: 'shopper_1' } }),
        modify('CHARGEBACK', 'D1', 'A1', { value: 1015 }),
      ],
      { status: 'open', chargedBackMinor: 1015n, userId: 'shopper_1' },
    ],
    [
      'Adyen: reversed',
      [authorise('A1'), modify('CHARGEBACK', 'D1', 'A1'), modify('CHARGEBACK_REVERSED', 'D1', 'A1', { at: 2 })],
      { status: 'under_review', chargedBackMinor: 0n },
    ],
    [
      'Adyen: won, and lost by a second chargeback',
      [
        authorise('A1'),
        modify('CHARGEBACK', 'D1', 'A1'),
        modify('CHARGEBACK_REVERSED', 'D1', 'A1', { at: 2, additionalData: { disputeStatus: 'Won' } }),
        modify('SECOND_CHARGEBACK', 'D1', 'A1', { at: 3 }),
      ],
      { status: 'lost', chargedBackMinor: 1000n },
    ],
    [
      'Stripe: the money goes, and comes back after the dispute was closed',
      [
        charge('charge.succeeded', {}),
        dispute('charge.dispute.created', { at: 1 }),
        dispute('charge.dispute.funds_withdrawn', { at: 1 }),
        dispute('charge.dispute.closed', { status: 'won', at: 2 }),
        dispute('charge.dispute.funds_reinstated', { status: 'won', at: 3 }),
      ],
      { status: 'won', chargedBackMinor: 0n },
    ],
    [
      'Stripe: a warning that costs nothing',
      [
        charge('charge.succeeded', {}),
        dispute('charge.dispute.created', { status: 'warning_needs_response', at: 1 }),
        dispute('charge.dispute.closed', { status: 'warning_closed', at: 2 }),
      ],
      { status: 'closed', chargedBackMinor: 0n },
    ],
  ])('%s', (_name, webhooks, expected) => {
    expect(outcome(webhooks)).toMatchObject({ disputes: [expected], parked: [], quarantined: [] });
    const arrival = fc.shuffledSubarray(webhooks, { minLength: webhooks.length });
    fc.assert(
      fc.property(arrival, (arrived) => {
        expect(outcome(arrived)).toMatchObject({ disputes: [expected], parked: [], quarantined: [] });
      }),
      { numRuns: 60 },
    );
  });
});
