import { maxInt8 } from '../contract/fields.ts';
import { currencyExponent } from '../currency.ts';

/**
 * Converts an amount from the provider's minor units to those of ISO 4217, where the two differ.
 * @param providerExponents digits after the decimal point, for the currencies in which the provider deviates
 * @returns undefined when the amount exceeds 64 bits. What is less than a minor unit is rounded, and never to nothing:
 *   there is no such coin, but a dispute that was converted from another currency may say so, and has to be taken.
 */
export function toIsoMinorUnits(
  amount: bigint,
  currency: string,
  providerExponents: Readonly<Record<string, number>>,
): bigint | undefined {
  const from = providerExponents[currency];
  const to = currencyExponent(currency);
  if (from === undefined || to === undefined || from === to) return amount;
  if (to > from) {
    const larger = amount * 10n ** BigInt(to - from);
    return larger <= maxInt8 ? larger : undefined;
  }
  const divisor = 10n ** BigInt(from - to);
  const rounded = (amount + divisor / 2n) / divisor;
  return rounded === 0n && amount > 0n ? 1n : rounded;
}
