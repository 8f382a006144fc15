import { createHash } from 'node:crypto';
import { ipKeyGenerator } from 'express-rate-limit';
import { AppError } from '../../kernel/http/errors.ts';
import type { UserStore } from './store/user-store.ts';

export interface LoginLimits {
  /** Failed logins of one account in a window. */
  perAccount: number;
  /** Failed logins from one address, and registrations from it, in a window. */
  perAddress: number;
  windowSeconds: number;
}

/** What is counted for an email address, whether or not a user has it. */
export function accountKey(email: string): string {
  return `account:${createHash('sha256').update(email).digest('hex')}`;
}

/** An IPv6 network counts as one address, since its owner has all of them. */
export function addressKey(prefix: 'address' | 'register', address: string): string {
  return `${prefix}:${ipKeyGenerator(address)}`;
}

/**
 * Counts an attempt before its outcome is known, so that attempts at one time can't pass the limit together.
 * @param onFirst Called for the first attempt that is one too many.
 * @throws AppError rate_limited
 */
export async function throttle(
  store: UserStore,
  limits: ReadonlyMap<string, number>,
  windowSeconds: number,
  onFirst: () => Promise<void>,
): Promise<void> {
  const counted = await store.countAttempts([...limits.keys()], windowSeconds);
  const beyond = counted.filter(({ key, attempts }) => attempts > limits.get(key)!);
  if (beyond.length === 0) return;
  if (beyond.some(({ key, attempts }) => attempts === limits.get(key)! + 1)) await onFirst();
  throw new AppError('rate_limited', 'Too many attempts for this account or from this address.', {
    retryAfterSeconds: Math.max(...beyond.map(({ seconds_left }) => seconds_left)),
  });
}
