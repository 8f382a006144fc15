import { describe, expect, test } from 'vitest';
import { adyen } from './adyen.ts';
import { stripe } from './stripe.ts';

/** The amount of an order that Stripe names with 1000 of its minor units. */
function ofStripe(currency: string, amount = 1000): bigint | null {
  const [event] = stripe.paths.stripe!({
    id: 'evt_1',
    object: 'event',
    type: 'charge.succeeded',
    created: 1_700_000_000,
    data: { object: { id: 'ch_1', object: 'charge', status: 'succeeded', amount, currency: currency.toLowerCase() } },
  });
  if (event?.target !== 'order') throw new Error('no order');
  return event.amountMinor;
}

function ofAdyen(currency: string, value = 1000): bigint | null {
  const [event] = adyen.paths.adyen!({
    live: 'false',
    notificationItems: [
      {
        NotificationRequestItem: {
          amount: { currency, value },
          eventCode: 'AUTHORISATION',
          eventDate: '2026-01-31T12:00:00+01:00',
          merchantAccountCode: 'Shop',
          merchantReference: 'ord_1',
          pspReference: '8835511210681324',
          success: 'true',
        },
      },
    ],
  });
  if (event?.target !== 'order') throw new Error('no order');
  return event.amountMinor;
}

describe('amounts of Stripe in the minor units of ISO 4217', () => {
  // https://docs.stripe.com/currencies#zero-decimal, MGA aside, which has two digits in ISO 4217.
  test.each('BIF CLP DJF GNF JPY KMF KRW PYG RWF VND VUV XAF XOF XPF'.split(' '))('%s: whole units', (code) => {
    expect(ofStripe(code)).toBe(1000n);
  });

  // https://docs.stripe.com/currencies#three-decimal
  test.each('BHD JOD KWD OMR TND'.split(' '))('%s: thousandths', (code) => {
    expect(ofStripe(code)).toBe(1000n);
  });

  // https://docs.stripe.com/currencies#special-cases: whole units in ISO 4217, hundredths at Stripe, and the reverse.
  test.each<[string, bigint]>([
    ['ISK', 10n],
    ['UGX', 10n],
    ['MGA', 100_000n],
  ])('%s is converted', (code, expected) => {
    expect(ofStripe(code)).toBe(expected);
  });

  // Stripe sends the two last digits of ISK and UGX as 00, https://docs.stripe.com/currencies#special-cases. Only what
  // it has converted itself, as the amount of a dispute, might be something else.
  test.each<[string, number, bigint]>([
    ['ISK', 500, 5n],
    ['ISK', 549, 5n],
    ['ISK', 550, 6n],
    ['UGX', 1, 1n],
    ['UGX', 100, 1n],
  ])('%s: %i is taken', (code, amount, expected) => {
    expect(ofStripe(code, amount)).toBe(expected);
  });

  // Zero-decimal for payouts only.
  test.each(['HUF', 'TWD'])('%s: hundredths in charges', (code) => {
    expect(ofStripe(code)).toBe(1000n);
  });

  test.each(['BGN', 'HRK', 'ANG', 'STD', 'LTL'])('%s: a withdrawn currency is taken', (code) => {
    expect(ofStripe(code)).toBe(1000n);
  });
});

describe('amounts of Adyen in the minor units of ISO 4217', () => {
  // https://docs.adyen.com/development-resources/currency-codes
  test.each<[string, bigint]>([
    ['CLP', 10n],
    ['ISK', 10n],
    ['CVE', 100_000n],
    ['IDR', 100_000n],
  ])('%s is converted', (code, expected) => {
    expect(ofAdyen(code)).toBe(expected);
  });

  test.each<[string, number, bigint]>([
    ['CLP', 1049, 10n],
    ['CLP', 1050, 11n],
    ['ISK', 49, 1n],
  ])('%s: a fraction of a unit, %i, is taken', (code, value, expected) => {
    expect(ofAdyen(code, value)).toBe(expected);
  });

  test.each(['EUR', 'JPY', 'KWD', 'UGX', 'HUF', 'BGN', 'HRK', 'ANG', 'STD'])('%s is taken as it is', (code) => {
    expect(ofAdyen(code)).toBe(1000n);
  });
});
