import { randomBytes } from 'node:crypto';
import { withClient } from '../../kernel/postgres/with-client.ts';
import type { SystemDescription } from '../system-description.ts';

/** New secrets in the form that each scheme asks for. */
export function generateSecrets(): SystemDescription['secrets'] {
  return {
    silvergate: `whsec_${randomBytes(32).toString('base64')}`,
    stripe: `whsec_${randomBytes(24).toString('base64url')}`,
    // Adyen prints its HMAC keys in hexadecimal.
    adyen: randomBytes(32).toString('hex').toUpperCase(),
    wallet: `whsec_${randomBytes(32).toString('base64')}`,
    accessTokens: randomBytes(32).toString('base64url'),
  };
}

/** Text that can't be guessed, safe in URLs and in SQL literals. */
export function generatePassword(): string {
  return randomBytes(18).toString('base64url');
}

/** Lets the roles that the migration made log in, each with a password of its own. @returns role → password. */
export async function enableLogins<R extends string>(dsn: string, roles: readonly R[]): Promise<Record<R, string>> {
  const passwords = Object.fromEntries(roles.map((role) => [role, generatePassword()])) as Record<R, string>;
  await withClient(dsn, async (client) => {
    for (const role of roles) await client.query(`alter role ${role} login password '${passwords[role]}'`);
  });
  return passwords;
}
