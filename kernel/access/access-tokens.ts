import type { webcrypto } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import { type Principal, type Role, roles } from './principal.ts';

/** Says of the bearer of a token who it is, to every instance of the API that has the same secret. */
export interface AccessTokens {
  /** A token that is valid for so many seconds from now on. */
  sign(principal: Principal, lifetimeSeconds: number): Promise<string>;
  /** @throws InvalidTokenError for whatever `sign` did not return under an active secret, or that has expired. */
  verify(token: string): Promise<Principal>;
}

/** Why a token is refused, in words for its bearer that tell nothing of the secret. */
export class InvalidTokenError extends Error {}

export interface AccessTokensOptions {
  /** One or, during a rotation, two: the first signs, both verify. */
  secrets: readonly string[];
  now: () => Date;
  /** Verified tokens that are remembered, the oldest out first; 10,000, which is some 5 MB, unless told otherwise. */
  remembered?: number;
}

/** The only algorithm; what the token's own header says chooses nothing. */
const algorithm = 'HS256';
const issuer = 'payments-lab';
const audience = 'payments-lab-api';
/** RFC 9068: a token of another kind that the same secret signs can't pass for one. */
const type = 'at+jwt';

/** Longer ones are refused unread; those that `sign` makes have some 400 characters. */
export const tokenMaxLength = 2_048;

interface Verified {
  principal: Principal;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** Tokens by HMAC: the API both issues and verifies them, so that a pair of keys would only cost more. */
export function createAccessTokens({ secrets, now, remembered = 10_000 }: AccessTokensOptions): AccessTokens {
  const keys = Promise.all(secrets.map(importKey));
  // A client sends the same token for minutes. What is remembered is looked at as closely as at first: byte by byte, and
  // whether it has expired by now.
  const verified = new Map<string, Verified>();
  return {
    sign: async ({ userId, role }, lifetimeSeconds) => {
      const issuedAt = Math.floor(now().getTime() / 1_000);
      return new SignJWT({ role })
        .setProtectedHeader({ alg: algorithm, typ: type })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(userId)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + lifetimeSeconds)
        .sign((await keys)[0]!);
    },
    async verify(token) {
      if (token.length > tokenMaxLength) throw new InvalidTokenError('the token is too long');
      const known = verified.get(token);
      if (known && now().getTime() < known.expiresAt) return known.principal;
      for (const key of await keys) {
        const found = await verifyWith(key, token, now());
        if (!found) continue;
        verified.set(token, found);
        if (verified.size > remembered) verified.delete(verified.keys().next().value!);
        return found.principal;
      }
      throw new InvalidTokenError('the token was not signed by this system');
    },
  };
}

/** Once: from a key in another form jose would make this one for each token. */
function importKey(secret: string): Promise<webcrypto.CryptoKey> {
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  return crypto.subtle.importKey('raw', new TextEncoder().encode(secret), hmac, false, ['sign', 'verify']);
}

/** Undefined where the signature is of another key. @throws InvalidTokenError */
async function verifyWith(key: webcrypto.CryptoKey, token: string, currentDate: Date): Promise<Verified | undefined> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [algorithm],
      issuer,
      audience,
      typ: type,
      currentDate,
      requiredClaims: ['sub', 'exp', 'iat'],
    });
    return { principal: principalFrom(payload), expiresAt: payload.exp! * 1_000 };
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return undefined;
    if (error instanceof errors.JWTExpired) throw new InvalidTokenError('the token has expired; log in or refresh it');
    if (error instanceof errors.JOSEError) throw new InvalidTokenError('the token is not an access token of this API');
    throw error;
  }
}

function principalFrom({ sub, role }: { sub?: string; role?: unknown }): Principal {
  if (!sub || sub.length > 64 || !roles.includes(role as Role)) {
    throw new InvalidTokenError('the token names no user or no role of this system');
  }
  return { userId: sub, role: role as Role };
}
