import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ZodError } from 'zod';
import { adyen } from './adyen.ts';

const secret = '44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056';
const otherSecret = 'DFB1EB5485895CFA84146406857104ABB4CBCABDC8AAF103A624C8F6A3EAAB00';
const now = new Date('2026-03-01T12:00:00Z');

const unsigned = {
  pspReference: '7914073381342284',
  merchantAccountCode: 'TestMerchant',
  merchantReference: 'TestPayment-1407325143704',
  amount: { value: 1130, currency: 'EUR' },
  eventCode: 'AUTHORISATION',
  eventDate: '2026-03-01T12:30:00+01:00',
  success: 'true',
  paymentMethod: 'visa',
};
type Item = Omit<typeof unsigned, 'amount'> & {
  amount: { value: number | string; currency: string };
  originalReference?: string;
  additionalData?: object;
  reason?: string;
};

function signature(item: Item, key = secret): string {
  const { pspReference, originalReference = '', merchantAccountCode, merchantReference, amount, eventCode } = item;
  const text = `${pspReference}:${originalReference}:${merchantAccountCode}:${merchantReference}:${amount.value}:${amount.currency}:${eventCode}:${item.success}`;
  return createHmac('sha256', Buffer.from(key, 'hex')).update(text).digest('base64');
}

const signed = (change: Partial<Item> = {}, key = secret) => {
  const item = { ...unsigned, ...change };
  return { ...item, additionalData: { ...item.additionalData, hmacSignature: signature(item, key) } };
};
const batch = (...items: object[]) => ({
  live: 'false',
  notificationItems: items.map((item) => ({ NotificationRequestItem: item })),
});
const verify = (body: unknown, secrets = [secret]) =>
  adyen.verify({
    rawBody: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    headers: {},
    secrets,
    now,
  });

describe('adyen signatures', () => {
  test("the example of Adyen's own libraries", () => {
    // Key, item and signature as the tests of Adyen's public API libraries have them.
    const additionalData = { hmacSignature: 'coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0=' };
    expect(verify(batch({ ...unsigned, additionalData }))).toBe(true);
    expect(verify(batch({ ...unsigned, additionalData, success: 'false' }))).toBe(false);
  });

  test('every item has to verify', () => {
    expect(verify(batch(signed(), signed({ eventCode: 'CAPTURE' })))).toBe(true);
    expect(verify(batch(signed(), signed({ eventCode: 'CAPTURE' }, otherSecret)))).toBe(false);
  });

  test.each([
    ['no JSON', '{'],
    ['no object', 'null'],
    ['no items', batch()],
    ['no signature', batch(unsigned)],
    ['an empty signature', batch({ ...unsigned, additionalData: { hmacSignature: '' } })],
    [
      'a truncated signature',
      batch({ ...unsigned, additionalData: { hmacSignature: signature(unsigned).slice(0, -1) } }),
    ],
    ['the signature of another item', batch({ ...signed(), pspReference: '7914073381342285' })],
    ['another secret', batch(signed({}, otherSecret))],
    ['a hundred items', batch(...Array(100).fill(signed()))],
  ])('%s is refused', (_name, body) => {
    expect(verify(body)).toBe(false);
  });

  test('the former secret is accepted while both are active', () => {
    expect(verify(batch(signed({}, otherSecret)), [secret, otherSecret])).toBe(true);
    expect(verify(batch(signed()), [])).toBe(false);
  });

  test('a reference may contain the separator, plain or escaped; no other field may', () => {
    const item = { ...unsigned, merchantReference: 'shop:7\\a' };
    const escaped = signature({ ...item, merchantReference: 'shop\\:7\\\\a' });
    expect(verify(batch(signed(item)))).toBe(true);
    expect(verify(batch({ ...item, additionalData: { hmacSignature: escaped } }))).toBe(true);
    const shifted = { ...item, merchantAccountCode: 'TestMerchant:shop', merchantReference: '7\\a' };
    expect(verify(batch({ ...shifted, additionalData: { hmacSignature: signature(item) } }))).toBe(false);
  });

  test('any change of one byte of a signed field or the signature is refused', () => {
    const item = signed();
    const fields = ['pspReference', 'merchantAccountCode', 'merchantReference', 'eventCode', 'success'] as const;
    fc.assert(
      fc.property(
        fc.constantFrom('signature', ...fields),
        fc.nat(1_000),
        fc.integer({ min: 1, max: 127 }),
        (field, at, difference) => {
          const text = field === 'signature' ? item.additionalData.hmacSignature : item[field];
          const bytes = Buffer.from(text);
          bytes[at % bytes.length] = bytes[at % bytes.length]! ^ difference;
          const changed = bytes.toString('latin1');
          const forged =
            field === 'signature'
              ? { ...item, additionalData: { hmacSignature: changed } }
              : { ...item, [field]: changed };
          return !verify(batch(forged));
        },
      ),
      { numRuns: 1_000 },
    );
    expect(verify(batch({ ...item, amount: { value: 1131, currency: 'EUR' } }))).toBe(false);
  });

  test.each(['', 'abc', `${secret}0`, secret.replace('4', 'g')])('the secret %j is refused', (wrong) => {
    expect(adyen.checkSecret(wrong)).toMatch(/^must /);
  });
});

const map = (change: Partial<Item> = {}) => adyen.paths.adyen!(batch(signed(change)))[0]!;

describe('adyen events', () => {
  test('an authorisation introduces an order', () => {
    expect(map({ additionalData: { shopperReference: 'shopper-1', cardSummary: '1111' } })).toEqual({
      target: 'order',
      providerEventId: '7914073381342284|AUTHORISATION|true|TestMerchant',
      fingerprint: expect.stringContaining('7914073381342284'),
      orderId: 'TestPayment-1407325143704',
      userId: 'shopper-1',
      status: 'updated',
      introduces: true,
      amountMinor: 1130n,
      currency: 'EUR',
      providerUpdatedAt: new Date('2026-03-01T11:30:00Z'),
      attemptReference: '@adyen:7914073381342284',
      payment: {
        attempt: '7914073381342284',
        namesAttempt: true,
        state: 'authorised',
        amountMinor: 1130n,
        currency: 'EUR',
        capturedMinor: null,
        isFullyCaptured: false,
        refundedMinor: null,
        operations: [],
        closes: false,
      },
      meta: {
        shopperReference: 'shopper-1',
        cardSummary: '1111',
        event_code: 'AUTHORISATION',
        psp_reference: '7914073381342284',
      },
    });
  });

  test.each([
    ['AUTHORISATION', 'false', 'updated'],
    ['CAPTURE', 'true', 'success'],
    ['CAPTURE', 'false', 'updated'],
    ['CAPTURE_FAILED', 'true', 'failed'],
    ['CANCELLATION', 'true', 'failed'],
  ])('%s %s', (eventCode, success, status) => {
    expect(map({ eventCode, success })).toMatchObject({
      target: 'order',
      status,
      introduces: eventCode === 'AUTHORISATION',
      userId: null,
    });
  });

  const original = { originalReference: '8835511210681145' };
  const made = (kind: string, state: string) => ({
    attempt: '8835511210681145',
    operations: [{ kind, reference: '7914073381342284', state, amountMinor: 1130n }],
  });
  test.each([
    ['AUTHORISATION', 'false', {}, { attempt: '7914073381342284', state: 'declined', namesAttempt: true }],
    ['CAPTURE', 'true', original, made('capture', 'succeeded')],
    ['CAPTURE', 'false', original, made('capture', 'refused')],
    ['CAPTURE_FAILED', 'true', original, made('capture', 'failed')],
    ['CANCELLATION', 'true', original, { attempt: '8835511210681145', state: 'canceled', closes: false }],
    ['CANCELLATION', 'true', {}, { attempt: null, state: null, closes: true }],
    ['CANCELLATION', 'false', original, { state: null, operations: [], closes: false }],
    ['EXPIRE', 'true', original, { state: 'canceled' }],
    ['REFUND', 'true', original, made('refund', 'succeeded')],
    ['REFUND', 'false', original, made('refund', 'refused')],
    ['REFUND_FAILED', 'true', original, made('refund', 'failed')],
    ['REFUNDED_REVERSED', 'true', original, made('refund', 'reversed')],
    [
      'CANCEL_OR_REFUND',
      'true',
      { ...original, additionalData: { 'modification.action': 'refund' } },
      made('refund', 'succeeded'),
    ],
    ['CANCEL_OR_REFUND', 'true', original, { state: 'canceled' }],
  ])('%s %s reports %j', (eventCode, success, change, payment) => {
    expect(map({ ...change, eventCode, success })).toMatchObject({ target: 'order', payment });
  });

  const automatic = { adyenAutomaticCapture: ['TestMerchant'] };
  const captured = (reference: string, state: string) => [{ kind: 'capture', reference, state, amountMinor: 1130n }];
  test.each([
    ['AUTHORISATION', 'true', {}, 'success', captured('7914073381342284', 'succeeded')],
    ['AUTHORISATION', 'false', {}, 'updated', []],
    ['CAPTURE', 'true', original, 'success', captured('8835511210681145', 'succeeded')],
    ['CAPTURE_FAILED', 'true', original, 'failed', captured('8835511210681145', 'failed')],
    ['CANCELLATION', 'true', original, 'failed', captured('8835511210681145', 'failed')],
    ['CANCELLATION', 'false', original, 'updated', []],
  ])('of an account that captures without a request: %s %s', (eventCode, success, change, status, operations) => {
    const item = signed({ ...change, eventCode, success });
    expect(adyen.paths.adyen!(batch(item), automatic)[0]).toMatchObject({ status, payment: { operations } });
    expect(adyen.paths.adyen!(batch(item), { adyenAutomaticCapture: ['Other'] })).toEqual([
      map({ ...change, eventCode, success }),
    ]);
  });

  test.each([
    ['NOTIFICATION_OF_CHARGEBACK', null],
    ['CHARGEBACK', 'withdrawn'],
    ['CHARGEBACK_REVERSED', 'reinstated'],
    ['SECOND_CHARGEBACK', 'withdrawn'],
  ])('%s says where the money is', (eventCode, funds) => {
    expect(map({ eventCode, ...original })).toMatchObject({ funds, attemptReference: '@adyen:8835511210681145' });
  });

  test('an event without an effect may have any reference, and two accounts may use one', () => {
    const report = { eventCode: 'REPORT_AVAILABLE', pspReference: 'settlement detail (batch 7).csv' };
    const events = ['ShopEU', 'ShopUS'].map((merchantAccountCode) => map({ ...report, merchantAccountCode }));
    expect(events).toMatchObject([{ target: 'none' }, { target: 'none' }]);
    expect(new Set(events.map((event) => event.providerEventId)).size).toBe(2);
  });

  test.each([
    ['NOTIFICATION_OF_CHARGEBACK', {}, 'webhook_opened', 'open'],
    ['CHARGEBACK', {}, 'webhook_updated', 'open'],
    ['CHARGEBACK_REVERSED', {}, 'webhook_updated', 'under_review'],
    ['CHARGEBACK_REVERSED', { disputeStatus: 'Won' }, 'provider_decision', 'won'],
    ['SECOND_CHARGEBACK', {}, 'provider_decision', 'lost'],
  ])('%s %j', (eventCode, additionalData, kind, status) => {
    expect(map({ eventCode, additionalData, reason: 'Fraud\u0007', originalReference: '79' })).toMatchObject({
      target: 'dispute',
      disputeId: '7914073381342284',
      orderId: 'TestPayment-1407325143704',
      kind,
      status,
      reason: 'Fraud',
    });
  });

  test('a reason is cut to what the database takes, and never within a character', () => {
    const reasonOf = (reason: string) => (map({ eventCode: 'CHARGEBACK', reason }) as { reason: string }).reason;
    expect(reasonOf('r'.repeat(2_000))).toBe('r'.repeat(128));
    expect(reasonOf(`${'r'.repeat(127)}😀`)).toBe(`${'r'.repeat(127)}\ufffd`);
  });

  test('events without a meaning for orders have no effect, also without amount and reference', () => {
    const item = { ...unsigned, eventCode: 'REPORT_AVAILABLE', amount: undefined, merchantReference: '' };
    expect(adyen.paths.adyen!(batch(item))).toMatchObject([{ target: 'none', type: 'REPORT_AVAILABLE' }]);
  });

  test('each item of a batch is an event with a fingerprint of its own', () => {
    const events = adyen.paths.adyen!(batch(signed(), signed({ eventCode: 'CAPTURE' })));
    expect(new Set(events.map((event) => event.providerEventId)).size).toBe(2);
    expect(new Set(events.map((event) => event.fingerprint)).size).toBe(2);
  });

  test('amounts follow ISO 4217 where Adyen deviates; 0 stands for none', () => {
    expect(map({ amount: { value: 500, currency: 'ISK' } })).toMatchObject({ amountMinor: 5n });
    expect(map({ amount: { value: 500, currency: 'IDR' } })).toMatchObject({ amountMinor: 50_000n });
    expect(map({ amount: { value: 0, currency: 'EUR' } })).toMatchObject({ amountMinor: null, currency: null });
  });

  test.each([
    { merchantReference: '' },
    { amount: { value: -1, currency: 'EUR' } },
    { amount: { value: 1, currency: 'eur' } },
    { amount: { value: '9223372036854775807', currency: 'IDR' } },
    { eventDate: 'yesterday' },
    { eventCode: 'CHARGEBACK', amount: { value: 0, currency: 'EUR' } },
  ])('%j is refused', (change) => {
    expect(() => map(change)).toThrow(ZodError);
  });
});
