/**
 * ISO 4217 codes of active currencies with the exponent of their minor unit where it is not 2
 * (ISO 4217 table A.1, https://www.six-group.com/en/products-services/financial-information/data-standards.html).
 */
export const exponentNotTwo: Readonly<Record<string, number>> = {
  BIF: 0,
  CLP: 0,
  DJF: 0,
  GNF: 0,
  ISK: 0,
  JPY: 0,
  KMF: 0,
  KRW: 0,
  PYG: 0,
  RWF: 0,
  UGX: 0,
  UYI: 0,
  VND: 0,
  VUV: 0,
  XAF: 0,
  XOF: 0,
  XPF: 0,
  BHD: 3,
  IQD: 3,
  JOD: 3,
  KWD: 3,
  LYD: 3,
  OMR: 3,
  TND: 3,
  CLF: 4,
  UYW: 4,
};

const exponentTwo = (
  'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE ' +
  'CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR ' +
  'KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB ' +
  'PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY ' +
  'TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG'
).split(' ');

const exponents: ReadonlyMap<string, number> = new Map([
  ...exponentTwo.map((code) => [code, 2] as const),
  ...Object.entries(exponentNotTwo),
]);

/** Every code that has an exponent, in alphabetical order. */
export const currencyCodes: readonly string[] = [...exponents.keys()].sort();

/** Digits after the decimal point of the currency's major unit; undefined for a code that ISO 4217 does not list. */
export function currencyExponent(code: string): number | undefined {
  return exponents.get(code);
}
