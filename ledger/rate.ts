import { currencyExponent } from '../kernel/currency.ts';

/**
 * An amount in another currency, rounded half to even.
 * @param rate Major units of `to` for one major unit of `from`: digits with at most 12 behind a point.
 * @returns minor units of `to`, 0 where the amount is too small.
 */
export function convert(amountMinor: bigint, rate: string, from: string, to: string): bigint {
  const [whole, fraction = ''] = rate.split('.') as [string, string?];
  const up = currencyExponent(to)!;
  const down = currencyExponent(from)! + fraction.length;
  const numerator = amountMinor * BigInt(whole + fraction) * 10n ** BigInt(up);
  const denominator = 10n ** BigInt(down);
  const quotient = numerator / denominator;
  const twice = 2n * (numerator % denominator);
  const isUp = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  return isUp ? quotient + 1n : quotient;
}
