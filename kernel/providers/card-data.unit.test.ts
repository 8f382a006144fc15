import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { containsCardNumber, maskCardNumbers, namesCardData } from './card-data.ts';

/** Test numbers that the schemes and providers publish. */
const cardNumbers: readonly [string, string][] = [
  ['Visa', '4111111111111111'],
  ['Visa of 19 digits', '4000000000000000006'],
  ['Mastercard', '5555555555554444'],
  ['Mastercard of the 2 series', '2223003122003222'],
  ['American Express', '378282246310005'],
  ['Diners Club', '30569309025904'],
  ['Diners Club of 14 digits', '36227206271667'],
  ['Discover', '6011111111111117'],
  ['JCB', '3566002020360505'],
  ['UnionPay', '6205500000000000004'],
  ['Maestro', '6759649826438453'],
  ['Mir', '2200000000000004'],
];

/** The digits with a check digit that passes. */
function withCheckDigit(digits: string): string {
  return [...'0123456789'].map((digit) => digits + digit).find(luhn)!;
}

function luhn(digits: string): boolean {
  const sum = [...digits].reverse().reduce((total, digit, at) => {
    const weighted = at % 2 === 0 ? Number(digit) : Number(digit) * 2;
    return total + (weighted > 9 ? weighted - 9 : weighted);
  }, 0);
  return sum % 10 === 0;
}

describe('card numbers', () => {
  test.each(cardNumbers)('%s: %s is one, also in groups and among words', (_scheme, number) => {
    const grouped = number.replace(/.{4}(?=.)/g, '$& ');
    for (const text of [number, grouped, grouped.replaceAll(' ', '-'), `paid with ${grouped}.`, `n=${number};x`]) {
      expect(containsCardNumber(text)).toBe(true);
      const masked = maskCardNumbers(text);
      expect(masked.replaceAll(/[ -]/g, '')).toContain(`*${number.slice(-4)}`);
      expect(masked).toHaveLength(text.length);
      expect(containsCardNumber(masked)).toBe(false);
    }
  });

  test('every one of a text is masked, and nothing else', () => {
    expect(maskCardNumbers('a 4111111111111111, 4242 4242 4242 4242 123 and 1234567890123')).toBe(
      'a ************1111, **** **** **** 4242 123 and 1234567890123',
    );
  });

  test.each([
    ['a wrong check digit', '4111111111111112'],
    ['an IMEI', '353918052107063'],
    ['an IMEI of another maker', '867686021234565'],
    ['an EAN', '4006381333931'],
    ['an ISBN', '9783161484100'],
    ['a GTIN of 14 digits', withCheckDigit('1400638133393')],
    ['a time in milliseconds', withCheckDigit('170000000000')],
    ['a time in nanoseconds', withCheckDigit('176430960000000000')],
    ["a network's transaction id", withCheckDigit('01623456789012')],
    ['a PSP reference', withCheckDigit('883551121068132')],
    ['an acquirer reference number', withCheckDigit('7453765123456789012345')],
    ['an order id that begins with the day', withCheckDigit('202611281234567')],
    ['digits of a word', 'sha4111111111111111'],
    ['digits before a word', '4111111111111111th'],
    ['a fraction', '0.4111111111111111'],
    ['more digits than any card has', '41111111111111114242'],
    ['too few digits', '411111111111'],
  ])('%s is none: %s', (_name, text) => {
    expect(containsCardNumber(text)).toBe(false);
    expect(maskCardNumbers(text)).toBe(text);
  });

  test('none of consecutive order ids that begin with the day is one', () => {
    const ids = Array.from({ length: 200 }, (_, at) => String(2026_1128_0000_0000n + BigInt(at)));
    expect(ids.filter(containsCardNumber)).toEqual([]);
  });

  test('what is masked stays the same when it is masked again', () => {
    const text = fc.stringMatching(/^([0-9]{1,20}[ .,a-]{0,2}){1,6}$/);
    fc.assert(
      fc.property(text, (given) => {
        const masked = maskCardNumbers(given);
        expect(masked).toHaveLength(given.length);
        expect(maskCardNumbers(masked)).toBe(masked);
      }),
    );
  });

  test('a card number behind many digits is found', () => {
    expect(containsCardNumber(`${'4 '.repeat(100_000)}x 4111111111111111`)).toBe(true);
    expect(containsCardNumber('4'.repeat(100_000))).toBe(false);
  });
});

describe('names of card data', () => {
  test.each(['cvv', 'CVC2', 'security_code', 'card-number', 'PAN', '4242424242424242'])('%s is one', (name) => {
    expect(namesCardData(name)).toBe(true);
  });

  test.each(['cid', 'company', 'span', 'code', 'note'])('%s is none', (name) => {
    expect(namesCardData(name)).toBe(false);
  });
});
