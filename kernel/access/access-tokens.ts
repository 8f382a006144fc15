import { createSecretKey, type KeyObject } from 'node:crypto';
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
}

/** The only algorithm; what the token's own header says chooses nothing. */
const algorithm = 'HS256';
const issuer = 'payments-lab';
const audience = 'payments-lab-api';
/** RFC 9068: a token of another kind that the same secret signs can't pass for one. */
const type = 'at+jwt';

/** Longer ones are refused unread; those that `sign` makes have some 400 characters. */
export const tokenMaxLength = 2_048;

/** Tokens by HMAC: the API both issues and verifies them, so that a pair of keys would only cost more. */
export function createAccessTokens({ secrets, now }: AccessTokensOptions): AccessTokens {
  const keys = secrets.map((secret) => createSecretKey(secret, 'utf8'));
  return {
    sign: ({ userId, role }, lifetimeSeconds) => {
      const issuedAt = Math.floor(now().getTime() / 1_000);
      return new SignJWT({ role })
        .setProtectedHeader({ alg: algorithm, typ: type })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(userId)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + lifetimeSeconds)
        .sign(keys[0]!);
    },
    async verify(token) {
      if (token.length > tokenMaxLength) throw new InvalidTokenError('the token is too long');
      for (const key of keys) {
        const principal = await verifyWith(key, token, now());
        if (principal) return principal;
      }
      throw new InvalidTokenError('the token was not signed by this system');
    },
  };
}

/** Undefined where the signature is of another key. @throws InvalidTokenError */
async function verifyWith(key: KeyObject, token: string, currentDate: Date): Promise<Principal | undefined> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [algorithm],
      issuer,
      audience,
      typ: type,
      currentDate,
      requiredClaims: ['sub', 'exp', 'iat'],
    });
    return principalFrom(payload);
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
