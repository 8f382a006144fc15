import fc from 'fast-check';
import Stripe from 'stripe';
import { describe, expect, test } from 'vitest';
import { ZodError } from 'zod';
import { stripe } from './stripe.ts';

// Longer than 300 lines because all of one provider is tested here.

const library = new Stripe('sk_test_not_used');
const secret = 'whsec_0123456789abcdefghijklmn';
const otherSecret = 'whsec_other_0123456789abcdefg';
const now = new Date('2026-03-01T12:00:00.500Z');
const nowSeconds = Math.floor(now.getTime() / 1000);

const charge = {
  object: 'charge',
  id: 'ch_1',
  status: 'succeeded',
  captured: true,
  amount: 1250,
  currency: 'eur',
  payment_intent: 'pi_1',
  customer: 'cus_1',
  metadata: {},
  payment_method_details: { card: { last4: '4242' } },
};
const dispute = {
  object: 'dispute',
  id: 'du_1',
  status: 'needs_response',
  reason: 'fraudulent',
  amount: 1250,
  currency: 'eur',
  charge: 'ch_1',
  payment_intent: 'pi_1',
  evidence_details: { due_by: 1_773_000_000 },
  metadata: {},
};
const eventOf = (type: string, object: object) => ({
  id: 'evt_1',
  object: 'event',
  type,
  created: 1_772_366_400,
  data: { object },
  pending_webhooks: 1,
});
const payload = JSON.stringify(eventOf('charge.succeeded', charge));

/** Signs with Stripe's own library, which knows nothing of ours. */
function sign(text = payload, options: { timestamp?: number; secret?: string; scheme?: string } = {}): string {
  return library.webhooks.generateTestHeaderString({ payload: text, secret, timestamp: nowSeconds, ...options });
}

function verify(header: string | undefined, rawBody: string | Buffer = payload, secrets = [secret]): boolean {
  const headers = header === undefined ? {} : { 'stripe-signature': header };
  return stripe.verify({ rawBody: Buffer.from(rawBody as string), headers, secrets, now });
}

describe('stripe signatures', () => {
  test("what Stripe's library signed is accepted, altered it is not", () => {
    expect(verify(sign())).toBe(true);
    expect(verify(sign(), payload.replace('1250', '1251'))).toBe(false);
  });

  test.each([
    ['missing', undefined],
    ['empty', ''],
    ['without a time', sign().replace(/^t=[0-9]+,/, '')],
    ['with two times', `t=${nowSeconds},${sign()}`],
    ['without a signature', `t=${nowSeconds}`],
    ['truncated', sign().slice(0, -2)],
    ['too long', `${sign()}00`],
    ['in capitals', sign().replace(/v1=.*/, (text) => `v1=${text.slice(3).toUpperCase()}`)],
    ['of an unknown scheme only', sign(payload, { scheme: 'v0' })],
    ['of another secret', sign(payload, { secret: otherSecret })],
  ])('a header %s is refused', (_name, header) => {
    expect(verify(header)).toBe(false);
  });

  test.each([
    [-301, false],
    [-299, true],
    [299, true],
    [301, false],
  ])('signed at %i s from now', (offset, accepted) => {
    expect(verify(sign(payload, { timestamp: nowSeconds + offset }))).toBe(accepted);
  });

  test('re-serialised body', () => {
    expect(verify(sign(), JSON.stringify(JSON.parse(payload), null, 2))).toBe(false);
  });

  test('the former secret is accepted while both are active', () => {
    expect(verify(sign(payload, { secret: otherSecret }), payload, [secret, otherSecret])).toBe(true);
    expect(verify(sign(), payload, [])).toBe(false);
  });

  test('a valid signature third of four; ten are looked at, a hundred are refused', () => {
    const [time, good] = sign().split(',') as [string, string];
    const bad = `v1=${'0'.repeat(64)}`;
    expect(verify([time, bad, 'v0=abc', good, bad].join(','))).toBe(true);
    expect(verify([time, ...Array(9).fill(bad), good].join(','))).toBe(true);
    expect(verify([time, good, ...Array(10).fill(bad)].join(','))).toBe(false);
    expect(verify([time, good, ...Array(99).fill(bad)].join(','))).toBe(false);
  });

  test('any change of one byte is refused', () => {
    const header = sign();
    fc.assert(
      fc.property(fc.boolean(), fc.nat(10_000), fc.integer({ min: 1, max: 127 }), (inBody, position, difference) => {
        const bytes = Buffer.from(inBody ? payload : header);
        const index = position % bytes.length;
        bytes[index] = bytes[index]! ^ difference;
        return inBody ? !verify(header, bytes) : !verify(bytes.toString('latin1'));
      }),
      { numRuns: 2_000 },
    );
  });

  test('whatever was signed verifies', () => {
    fc.assert(
      fc.property(fc.json(), fc.integer({ min: -300, max: 300 }), (text, offset) =>
        verify(sign(text, { timestamp: nowSeconds + offset }), text, [otherSecret, secret]),
      ),
    );
  });

  test.each(['', 'whsec_', 'whsec_short', 'sk_live_0123456789'])('the secret %j is refused', (wrong) => {
    expect(stripe.checkSecret(wrong)).toMatch(/^must /);
  });
});

const map = (type: string, object: object) => stripe.paths.stripe!(eventOf(type, object))[0]!;

describe('stripe events', () => {
  test('a charge becomes an order', () => {
    expect(map('charge.succeeded', charge)).toEqual({
      target: 'order',
      providerEventId: 'evt_1',
      fingerprint: JSON.stringify(['evt_1', 'charge.succeeded', 1_772_366_400, { object: charge }]),
      orderId: 'pi_1',
      userId: 'cus_1',
      status: 'success',
      introduces: true,
      amountMinor: 1250n,
      currency: 'EUR',
      providerUpdatedAt: new Date('2026-03-01T12:00:00Z'),
      attemptReference: '@stripe:ch_1',
      payment: {
        attempt: 'ch_1',
        namesAttempt: true,
        state: 'authorised',
        amountMinor: 1250n,
        currency: 'EUR',
        capturedMinor: 1250n,
        isFullyCaptured: true,
        refundedMinor: null,
        operations: [],
        closes: false,
      },
      meta: { charge_id: 'ch_1', type: 'charge.succeeded' },
    });
  });

  test.each([
    ['charge.pending', { status: 'pending', captured: false }, 'created'],
    ['charge.succeeded', { captured: false }, 'updated'],
    ['charge.captured', {}, 'success'],
    // The customer may try again: only the intent's own end is final.
    ['charge.failed', { status: 'failed', captured: false }, 'updated'],
    ['charge.failed', { status: 'failed', payment_intent: null, metadata: { order_id: 'ord_7' } }, 'updated'],
    ['charge.failed', { status: 'failed', payment_intent: null }, 'failed'],
    ['charge.updated', { captured: false }, 'updated'],
  ])('%s %j', (type, change, status) => {
    expect(map(type, { ...charge, ...change })).toMatchObject({ target: 'order', status });
  });

  test('a canceled payment intent is an order that failed, of the same name and user as its charges', () => {
    const intent = { object: 'payment_intent', id: 'pi_1', amount: 1250, currency: 'eur', customer: 'cus_1' };
    expect(map('payment_intent.canceled', intent)).toMatchObject({
      target: 'order',
      orderId: 'pi_1',
      userId: 'cus_1',
      status: 'failed',
      introduces: true,
      amountMinor: 1250n,
      currency: 'EUR',
      meta: { type: 'payment_intent.canceled' },
    });
    const metadata = { order_id: 'ord_7', user_id: 'usr_7' };
    expect(map('payment_intent.canceled', { ...intent, metadata })).toMatchObject({
      orderId: 'ord_7',
      userId: 'usr_7',
    });
    expect(map('payment_intent.payment_failed', intent)).toMatchObject({ target: 'none' });
  });

  test('metadata names order and user; without either the user is unknown', () => {
    const metadata = { order_id: 'ord_7', user_id: 'usr_7' };
    expect(map('charge.succeeded', { ...charge, metadata })).toMatchObject({ orderId: 'ord_7', userId: 'usr_7' });
    expect(map('charge.succeeded', { ...charge, customer: null })).toMatchObject({ userId: null });
    expect(map('charge.succeeded', { ...charge, customer: null, payment_intent: null })).toMatchObject({
      orderId: 'ch_1',
      userId: null,
    });
    expect(map('charge.succeeded', { ...charge, customer: { id: 'cus_9', object: 'customer' } })).toMatchObject({
      userId: 'cus_9',
    });
    expect(map('charge.succeeded', { ...charge, metadata: { order_id: 'order no. 7' } })).toMatchObject({
      orderId: expect.stringMatching(/^stripe:[0-9a-f]{32}$/),
    });
  });

  test('amounts follow ISO 4217 where Stripe deviates', () => {
    expect(map('charge.succeeded', { ...charge, amount: 500, currency: 'isk' })).toMatchObject({ amountMinor: 5n });
    expect(map('charge.succeeded', { ...charge, amount: 5, currency: 'mga' })).toMatchObject({ amountMinor: 500n });
    expect(map('charge.succeeded', { ...charge, amount: 5, currency: 'jpy' })).toMatchObject({ amountMinor: 5n });
    const tooMuch = { ...charge, amount: Number.MAX_SAFE_INTEGER, currency: 'mga' };
    expect(map('charge.succeeded', tooMuch)).toMatchObject({ amountMinor: BigInt(tooMuch.amount) * 100n });
  });

  test.each([
    ['charge.dispute.created', 'needs_response', 'webhook_opened', 'open'],
    ['charge.dispute.updated', 'under_review', 'webhook_updated', 'under_review'],
    ['charge.dispute.closed', 'won', 'provider_decision', 'won'],
    ['charge.dispute.closed', 'lost', 'provider_decision', 'lost'],
    ['charge.dispute.closed', 'warning_closed', 'provider_decision', 'closed'],
  ])('%s %s', (type, state, kind, status) => {
    expect(map(type, { ...dispute, status: state })).toMatchObject({
      target: 'dispute',
      disputeId: 'du_1',
      orderId: 'pi_1',
      userId: null,
      kind,
      status,
      reason: 'fraudulent',
      amountMinor: 1250n,
      evidenceDueAt: new Date(1_773_000_000_000),
    });
  });

  test.each([{ evidence_details: { due_by: 0 } }, { evidence_details: { due_by: null } }, { evidence_details: {} }])(
    'a dispute that takes no answer has no due date: %j',
    (change) => {
      expect(map('charge.dispute.created', { ...dispute, ...change })).toMatchObject({ evidenceDueAt: null });
    },
  );

  test.each(['invoice.paid', 'payout.paid', 'v2.core.account.updated'])('%s has no effect', (type) => {
    expect(map(type, { anything: true })).toMatchObject({ target: 'none', type, providerEventId: 'evt_1' });
  });

  test('an event without an effect is held to no field but its id and type', () => {
    const thin = { id: 'evt_test_65R9Ijk8dKEYZcXeRWn16R9A', object: 'v2.core.event', type: 'v1.billing.meter.error' };
    const created = '2026-03-01T12:00:00.000Z';
    expect(stripe.paths.stripe!({ ...thin, created, livemode: false })).toMatchObject([
      { target: 'none', type: 'v1.billing.meter.error', providerEventId: thin.id },
    ]);
    expect(stripe.paths.stripe!({ id: 'evt_9', type: 'customer.updated', data: {} })).toMatchObject([
      { target: 'none' },
    ]);
  });

  test.each([
    ['pending', { status: 'pending', captured: false }, { state: 'pending', capturedMinor: null }],
    ['held', { captured: false }, { state: 'authorised', capturedMinor: null, isFullyCaptured: false }],
    [
      'captured in part',
      { amount_captured: 1000 },
      { capturedMinor: 1000n, amountMinor: 1250n, isFullyCaptured: true },
    ],
    ['refunded in part', { amount_captured: 1250, amount_refunded: 200 }, { refundedMinor: 200n }],
    ['declined', { status: 'failed', captured: false }, { state: 'declined', closes: false }],
    [
      'declined, and all that there is',
      { status: 'failed', payment_intent: null },
      { state: 'declined', closes: true },
    ],
  ])('a charge that is %s', (_name, change, payment) => {
    expect(map('charge.updated', { ...charge, ...change })).toMatchObject({ payment });
  });

  test.each([
    ['refund.created', 'pending', 'pending'],
    ['refund.updated', 'succeeded', 'succeeded'],
    ['refund.failed', 'failed', 'failed'],
    ['charge.refund.updated', 'canceled', 'failed'],
  ])('%s %s', (type, status, state) => {
    const refund = {
      object: 'refund',
      id: 're_1',
      amount: 300,
      currency: 'eur',
      charge: 'ch_1',
      payment_intent: 'pi_1',
    };
    expect(map(type, { ...refund, status })).toMatchObject({
      target: 'order',
      orderId: 'pi_1',
      userId: null,
      introduces: false,
      attemptReference: '@stripe:ch_1',
      payment: { attempt: 'ch_1', operations: [{ kind: 'refund', reference: 're_1', state, amountMinor: 300n }] },
    });
  });

  test.each([
    ['charge.dispute.funds_withdrawn', 'withdrawn'],
    ['charge.dispute.funds_reinstated', 'reinstated'],
    ['charge.dispute.created', null],
  ])('%s says where the money is', (type, funds) => {
    expect(map(type, dispute)).toMatchObject({ target: 'dispute', funds, attemptReference: '@stripe:ch_1' });
  });

  test('a repeated delivery has the same fingerprint, other content has another', () => {
    const event = eventOf('charge.succeeded', charge);
    const fingerprint = (input: object) => stripe.paths.stripe!(input)[0]!.fingerprint;
    expect(fingerprint({ ...event, pending_webhooks: 0 })).toBe(fingerprint(event));
    expect(fingerprint(eventOf('charge.succeeded', { ...charge, amount: 1 }))).not.toBe(fingerprint(event));
  });

  test("metadata may be as large as Stripe's own limits: 50 keys of 40 characters, values of 500", () => {
    const metadata = Object.fromEntries(
      Array.from({ length: 50 }, (_, at) => [`${at}`.padStart(40, 'k'), '\u{1f4b3}"'.repeat(250)]),
    );
    expect(map('charge.succeeded', { ...charge, metadata })).toMatchObject({ meta: metadata });
  });

  test.each([
    ['no event', { ...charge }],
    ['no type', { ...eventOf('x', charge), type: undefined }],
    ['a time that no date can hold', { ...eventOf('charge.succeeded', charge), created: 8_640_000_000_001 }],
    [
      'a due date that no date can hold',
      eventOf('charge.dispute.created', { ...dispute, evidence_details: { due_by: Number.MAX_SAFE_INTEGER } }),
    ],
    ['no amount', eventOf('charge.succeeded', { ...charge, amount: undefined })],
    ['a dispute of nothing', eventOf('charge.dispute.created', { ...dispute, charge: null, payment_intent: null })],
  ])('%s is refused', (_name, input) => {
    expect(() => stripe.paths.stripe!(input)).toThrow(ZodError);
  });
});
