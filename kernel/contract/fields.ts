import { z } from 'zod';
import { currencyCodes, currencyExponent } from '../currency.ts';

export const maxInt8 = 9_223_372_036_854_775_807n;

/** Digits of a number from 1 to `max`, as a regular expression: JSON Schema knows no other bound of a text. */
function digitsUpTo(max: bigint): string {
  const digits = max.toString();
  const smaller = [...digits].flatMap((digit, at) => {
    const rest = digits.length - at - 1;
    return digit === '0' ? [] : [`${digits.slice(0, at)}[0-${Number(digit) - 1}][0-9]{${rest}}`];
  });
  return `^(?=.*[1-9])(?:[0-9]{1,${digits.length - 1}}|${smaller.join('|')}|${digits})$`;
}

/**
 * An amount in minor units as JSON carries it: an integer in the safe range or a string of ASCII digits, above 0 and
 * within int8. The schema's output is a bigint.
 */
export const amountMinor = z
  .union(
    [
      z.number().refine(Number.isSafeInteger, 'must be a whole number of minor units; send larger ones as digits'),
      z.string().regex(/^[0-9]{1,19}$/, 'must be digits only'),
    ],
    { error: 'must be an integer of minor units or a string of digits' },
  )
  .transform((value) => BigInt(value))
  .refine((value) => value > 0n, 'must be above 0')
  .refine((value) => value <= maxInt8, 'must fit into 64 bits')
  .meta({
    description: 'Amount in minor units: an integer in the safe range or a digit string, above 0 and within 64 bits.',
    anyOf: [
      { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
      { type: 'string', pattern: digitsUpTo(maxInt8) },
    ],
  });

/** Unicode's control characters, for a pattern in a document: not every language knows `\p{Cc}`. */
export const controlCharacters = '\\u0000-\\u001f\\u007f-\\u009f';

/** ISO 4217 code in capitals. */
export const currency = z
  .string()
  .refine((code) => currencyExponent(code) !== undefined, 'must be an ISO 4217 currency code in capitals')
  .meta({ description: 'ISO 4217 currency code.', enum: [...currencyCodes], examples: ['EUR'] });

/** Identifiers of orders, disputes and users: printable, without spaces, at most 64 characters. */
export const identifier = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/,
    'must be 1 to 64 letters, digits or _.:- and start with a letter or digit',
  );

/** Identifiers that a provider chose for an event. */
export const providerEventId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.:|-]{0,127}$/, 'must be 1 to 128 letters, digits or _.:|-');

/** Whether every part of the way can write and read it: RFC 3339 has four digits for the year. */
const isUsableTime = (time: Date): boolean => time.getUTCFullYear() >= 1970 && time.getUTCFullYear() <= 9999;
const unusableTime = 'must be between the years 1970 and 9999';

/** How a document describes a timestamp. @param years The first and the last of them, as a regular expression. */
export function timestampMeta(years: string) {
  const time = '([01][0-9]|2[0-3]):[0-5][0-9]';
  return {
    type: 'string',
    format: 'date-time',
    pattern: `^(${years})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T${time}(:[0-5][0-9](\\.[0-9]+)?)?(Z|[+-]${time})$`,
  } as const;
}

/** Of four digits from 1970 on. */
export const yearsFrom1970 = '19[7-9][0-9]|[2-9][0-9]{3}';

/** RFC 3339 timestamp with an offset; the output is a Date. */
export const timestamp = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 timestamp with an offset, such as 2026-01-31T12:00:00Z' })
  .transform((text) => new Date(text))
  .refine(isUsableTime, unusableTime)
  .meta(timestampMeta(yearsFrom1970));

/** Seconds since 1970; the output is a Date. */
export const unixTime = z
  .int()
  .positive()
  .transform((seconds) => new Date(seconds * 1000))
  .refine(isUsableTime, unusableTime)
  .meta({ maximum: 253_402_300_799, description: 'Seconds since 1970, until the year 9999.' });
