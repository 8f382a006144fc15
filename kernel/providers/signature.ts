import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** How far a signature's timestamp may lie from now, in either direction; the same in all schemes that have one. */
const toleranceSeconds = 300;

/** Signatures of one request that are looked at. A request with more is refused, so that the work stays bounded. */
export const maxSignatures = 10;

/** A header that was sent once; undefined when it is missing or an array. */
export function singleHeader(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

const unixSeconds = /^[1-9][0-9]{0,11}$/;

/** Whether `text` is Unix time in plain digits and at most five minutes away from `now`. */
export function isWithinTolerance(text: string, now: Date): boolean {
  if (!unixSeconds.test(text)) return false;
  return Math.abs(Math.floor(now.getTime() / 1000) - Number(text)) <= toleranceSeconds;
}

/**
 * Whether any candidate equals any expected signature. Both are compared as text, which makes the encoding strict:
 * padding, unused bits, letter case and length all have to be as the scheme writes them. Every pair is compared in
 * constant time, so that the answer's time does not tell which secret or which candidate came close.
 */
export function anySignatureMatches(candidates: readonly string[], expected: readonly string[]): boolean {
  let matched = false;
  for (const wanted of expected) {
    const wantedBytes = Buffer.from(wanted);
    for (const candidate of candidates) {
      const bytes = Buffer.from(candidate);
      if (bytes.length === wantedBytes.length && timingSafeEqual(bytes, wantedBytes)) matched = true;
    }
  }
  return matched;
}
