import { exponentNotTwo } from '../kernel/currency.ts';

const unusual = Object.entries(exponentNotTwo);
const codes = unusual.map(([code]) => `'${code}'`).join(', ');
const divisors = unusual.map(([, exponent]) => 10 ** exponent).join(', ');

/** SQL for an amount in major units of `currency`. Sums are per currency: different ones are never added up. */
export const major = (minor: string): string =>
  `${minor} / transform(toString(currency), [${codes}], [${divisors}], 100)`;
