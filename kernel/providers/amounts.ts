import { maxInt8 } from '../contract/fields.ts';
import { currencyExponent } from '../currency.ts';

/**
 * Converts an amount from the provider's minor units to those of ISO 4217, where the two differ.
 * @param providerExponents digits after the decimal point, for the currencies in which the provider deviates
 * @returns undefined when the amount has a fraction that ISO 4217's minor unit cannot express, or exceeds 64 bits
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
  return amount % divisor === 0n ? amount / divisor : undefined;
}
