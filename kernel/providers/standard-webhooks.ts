import { createHmac } from 'node:crypto';
import type { SignedRequest } from './provider.ts';
import { anySignatureMatches, isWithinTolerance, maxSignatures, singleHeader } from './signature.ts';
import { signingKeys } from './signing-keys.ts';

/** How secrets of the scheme begin. */
export const secretPrefix = 'whsec_';
const signatureVersion = 'v1,';
const keysOf = signingKeys((secret) => Buffer.from(secret.slice(secretPrefix.length), 'base64'));

/**
 * Braces and spaces are not part of an id. The signed text `id.timestamp.body` therefore splits in only one way when
 * the body is a JSON object, and no sender can move bytes from one part into another.
 */
const messageId = /^[\x21-\x7a|~]{1,256}$/;

/**
 * Whether a request is signed by the Standard Webhooks scheme
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md), verified with
 * node:crypto on the raw bytes and an injected clock; the tests hold it against the public library.
 */
export function verifyStandardWebhook({ rawBody, headers, secrets, now }: SignedRequest): boolean {
  const id = singleHeader(headers, 'webhook-id');
  const sentAt = singleHeader(headers, 'webhook-timestamp');
  const given = singleHeader(headers, 'webhook-signature');
  if (id === undefined || sentAt === undefined || given === undefined) return false;
  if (!messageId.test(id) || !isWithinTolerance(sentAt, now)) return false;

  const signatures = given.split(' ', maxSignatures + 1);
  if (signatures.length > maxSignatures) return false;
  const candidates = signatures.filter((signature) => signature.startsWith(signatureVersion));
  const expected = keysOf(secrets).map(
    (key) => signatureVersion + createHmac('sha256', key).update(`${id}.${sentAt}.`).update(rawBody).digest('base64'),
  );
  return anySignatureMatches(candidates, expected);
}
