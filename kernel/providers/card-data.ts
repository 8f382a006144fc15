import { z } from 'zod';

/** Keys that must not appear in free-form data, compared without case, spaces and punctuation. */
const forbiddenKeys = new Set(['pan', 'cvv', 'cvc', 'cvv2', 'cvc2', 'cid', 'cardnumber', 'primaryaccountnumber']);

/**
 * 13 to 19 digits, perhaps in groups, that begin like a payment card (ISO/IEC 7812: 2 to 6). Numbers inside a longer
 * word are left alone, since digests and identifiers would otherwise match by chance.
 */
const cardNumberLike = /(?<![0-9A-Za-z])[2-6](?:[ -]?[0-9]){12,18}(?![0-9A-Za-z])/g;

/** Path of the first card number or card secret in free-form data, or undefined where there is none. */
export function findCardData(value: unknown, path: string[] = []): string[] | undefined {
  if (typeof value === 'string') return containsCardNumber(value) ? path : undefined;
  if (typeof value === 'number') return containsCardNumber(String(value)) ? path : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const here = [...path, key];
    if (forbiddenKeys.has(key.toLowerCase().replace(/[^a-z0-9]/g, ''))) return here;
    // A card number used as a key is named by its parent, so that the answer does not repeat it.
    if (containsCardNumber(key)) return path;
    const found = findCardData(item, here);
    if (found) return found;
  }
  return undefined;
}

function containsCardNumber(text: string): boolean {
  if (text.length < 13) return false;
  for (const [match] of text.matchAll(cardNumberLike)) {
    if (passesLuhn(match.replace(/[ -]/g, ''))) return true;
  }
  return false;
}

/** The check digit of ISO/IEC 7812-1, annex B. */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    const weighted = i % 2 === 0 ? digit : digit * 2;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return sum % 10 === 0;
}

const maxMetaCharacters = 8_192;

/**
 * A bounded JSON object of the sender's own. Card numbers and card secrets are refused rather than cut out: the raw
 * body is kept for audits, so accepting the webhook would store them.
 */
export const freeFormObject = z
  .record(z.string(), z.unknown())
  .superRefine((value, context) => {
    if (JSON.stringify(value).length > maxMetaCharacters) {
      context.addIssue({ code: 'custom', message: `must be at most ${maxMetaCharacters} characters of JSON` });
    }
    const path = findCardData(value);
    if (path) context.addIssue({ code: 'custom', path, message: 'must not contain card numbers or card secrets' });
  })
  .meta({ description: `At most ${maxMetaCharacters} characters of JSON, without card numbers and card secrets.` });

/** As many characters as the database takes. */
export const reasonMaxLength = 128;

/** A dispute's reason: short, without control characters and without card data. */
export const disputeReason = z
  .string()
  .min(1)
  .max(reasonMaxLength)
  .refine((text) => !/\p{Cc}/u.test(text), 'must not contain control characters')
  .refine((text) => findCardData(text) === undefined, 'must not contain card numbers')
  .meta({ pattern: '^\\P{Cc}*$' });
