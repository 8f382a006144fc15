import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from './json.ts';

/** The text after it was read and written. */
const through = (text: string): string => JSON.stringify(parseJson(text));

describe('parseJson', () => {
  it.each([
    '9007199254740993',
    '-9007199254740993',
    '12345678901234567890',
    '1e400',
    '-1.5e-400',
    '3.14159265358979323846264338',
    '0.1000000000000000055511151231257827',
    '123456789012345678901234567890.5',
  ])('%s stays as it was written, wherever it stands', (number) => {
    for (const text of [`{"a":${number}}`, `{"a":{"b":[1,${number}]}}`, `[${number}]`])
      expect(through(text)).toBe(text);
  });

  it.each([
    ['0.5', 0.5],
    ['1e3', 1_000],
    ['1.50', 1.5],
    ['-2.5E-3', -0.0025],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['9007199254740992', 9_007_199_254_740_992],
    ['1e308', 1e308],
    ['0.0', 0],
    ['100000000000000000000', 1e20],
  ])('%s, which a double holds, is a number', (text, number) => {
    expect(parseJson(`{"a":${text}}`)).toEqual({ a: number });
  });

  it('takes numbers inside of strings for what they are', () => {
    const text = '{"note":"say \\": 9007199254740993, [1.5e400","at":"2026-01-31T12:00:00.123456Z"}';
    expect(through(text)).toBe(text);
  });

  it('reads what JSON.stringify writes as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('keeps the value of every decimal number', () => {
    const number = fc.stringMatching(/^-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?$/);
    fc.assert(
      fc.property(number, (text) => {
        const written = through(`[${text}]`).slice(1, -1);
        expect(rational(written)).toEqual(rational(text));
      }),
    );
  });

  it.each(['{"a":1.}', '{"a":01}', '[1.5', '{"a":.5}'])('%s is refused', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
  });
});

/** A decimal number as an integer, times ten to the power of 2000. */
function rational(text: string): bigint {
  const [mantissa, exponent = '0'] = text.toLowerCase().split('e');
  const [whole, fraction = ''] = mantissa!.split('.');
  return BigInt(whole! + fraction) * 10n ** BigInt(2_000 + Number(exponent) - fraction.length);
}
