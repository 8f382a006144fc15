import { describe, expect, it } from 'vitest';
import { currencyCodes, currencyExponent } from './currency.ts';

/** Digits that Intl shows, which come from Unicode's CLDR. */
function intlDigits(code: string): number | undefined {
  return new Intl.NumberFormat('en', { style: 'currency', currency: code }).resolvedOptions().maximumFractionDigits;
}

/**
 * Where ISO 4217 deviates from CLDR, which says what people write and not what a minor unit is. The second group has
 * been withdrawn: CLDR gives some of them no digits since their money had lost its worth, and knows others not at all.
 */
const deviating: Readonly<Record<string, number>> = {
  AFN: 2,
  ALL: 2,
  COP: 2,
  HUF: 2,
  IDR: 2,
  IQD: 3,
  IRR: 2,
  KPW: 2,
  LAK: 2,
  LBP: 2,
  MGA: 2,
  MMK: 2,
  PKR: 2,
  SOS: 2,
  SYP: 2,
  YER: 2,

  BEF: 0,
  BYB: 0,
  GRD: 0,
  MRO: 2,
  PTE: 0,
  SLL: 2,
  STD: 2,
  TMM: 2,
  TPE: 0,
  ZMK: 2,
  ZWD: 2,
};

describe('exponents', () => {
  it('are those of Intl, but where ISO 4217 deviates', () => {
    const different = currencyCodes.filter((code) => currencyExponent(code) !== intlDigits(code));
    expect(Object.fromEntries(different.map((code) => [code, currencyExponent(code)]))).toEqual(deviating);
  });

  it('are known for every currency that Intl names', () => {
    expect(Intl.supportedValuesOf('currency').filter((code) => currencyExponent(code) === undefined)).toEqual([]);
  });

  it.each(['BGN', 'HRK', 'ANG', 'STD', 'CUC', 'DEM', 'EEK', 'LTL', 'MRO', 'SLL', 'VEF', 'ZWL'])(
    '%s is known, although withdrawn',
    (code) => {
      expect(currencyExponent(code)).toBe(2);
    },
  );

  it.each(['BOV', 'CHE', 'CHW', 'COU', 'MXV', 'USN', 'XAD', 'XDR', 'XUA'])('%s is known, a fund', (code) => {
    expect(currencyExponent(code)).toBe(2);
  });

  it.each(['XYZ', 'eur', 'EURO', '', 'XXX', 'XTS'])('%j has none', (code) => {
    expect(currencyExponent(code)).toBeUndefined();
  });
});
