/**
 * Currencies and funds of ISO 4217 with the exponent of their minor unit where it is not 2: of the current list
 * (table A.1, https://www.six-group.com/en/products-services/financial-information/data-standards.html) and, behind
 * them, of the historic one (table A.3), which names none: those have the exponent that they were withdrawn with.
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
  ADP: 0,
  BEF: 0,
  BYB: 0,
  BYR: 0,
  ESP: 0,
  GRD: 0,
  ITL: 0,
  LUF: 0,
  MGF: 0,
  PTE: 0,
  TPE: 0,
  TRL: 0,
};

const exponentTwo = (
  'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY ' +
  'COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS ' +
  'INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR ' +
  'MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP ' +
  'STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG'
).split(' ');

/** Metals, units of account and bond markets, to which ISO 4217 gives no minor unit. Intl takes 2, and so does this. */
const withoutMinorUnit = 'XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XUA'.split(' ');

/** Withdrawn since 1978: events about older payments and reports still name them. */
const historic = (
  'AFA ALK ANG AOK AON AOR ARA ARP ARY ATS AYM AZM BAD BEC BEL BGJ BGK BGL BGN BOP BRB BRC BRE BRN BRR BUK CHC CSD ' +
  'CSJ CSK CUC CYP DDM DEM ECS ECV EEK ESA ESB FIM FRF GEK GHC GHP GNE GNS GQE GWE GWP HRD HRK IEP ILP ILR ISJ LAJ ' +
  'LSM LTL LTT LUC LUL LVL LVR MLF MRO MTL MTP MVQ MXP MZE MZM NIC NLG PEH PEI PES PLZ RHD ROK ROL RUR SDD SDP SIT ' +
  'SKK SLL SRG STD SUR TJR TMM UAK UGS UGW USS UYN UYP VEB VEF VNC XEU XFO XFU XRE YDD YUD YUM YUN ZAL ZMK ZRN ZRZ ' +
  'ZWC ZWD ZWL ZWN ZWR'
).split(' ');

const exponents: ReadonlyMap<string, number> = new Map([
  ...[...exponentTwo, ...withoutMinorUnit, ...historic].map((code) => [code, 2] as const),
  ...Object.entries(exponentNotTwo),
]);

/** Every code that has an exponent, in alphabetical order. */
export const currencyCodes: readonly string[] = [...exponents.keys()].sort();

/**
 * Digits after the decimal point of the currency's major unit; undefined for a code that neither list of ISO 4217 has,
 * and for XXX (no currency) and XTS (tests), of which there are no amounts.
 */
export function currencyExponent(code: string): number | undefined {
  return exponents.get(code);
}
