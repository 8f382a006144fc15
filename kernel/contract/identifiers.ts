import { createHash } from 'node:crypto';
import { identifier } from './fields.ts';

/**
 * `prefix` + `text` where that is a valid identifier, else `prefix` + half of its SHA-256 in hexadecimal digits.
 * The same text always gives the same identifier, so that later events find the same row.
 */
export function derivedIdentifier(prefix: string, text: string): string {
  const joined = prefix + text;
  if (identifier.safeParse(joined).success) return joined;
  return prefix + createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** `text` itself where it is a valid identifier, else one derived from it. */
export function toIdentifier(prefix: string, text: string): string {
  return identifier.safeParse(text).success ? text : derivedIdentifier(prefix, text);
}
