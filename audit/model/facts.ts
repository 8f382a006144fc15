/**
 * One webhook that took effect, as it was received. The model reads the provider's own words, and none of what the
 * services made of them.
 */
export interface Delivery {
  provider: string;
  providerEventId: string;
  /** The body's JSON, integers as bigint. */
  body: unknown;
  receivedAt: Date;
}

/** What an order is by all that the provider has said of it, whatever came first. Amounts in minor units of ISO 4217. */
export interface ExpectedOrder {
  status: 'created' | 'updated' | 'success' | 'failed';
  authorisedMinor: bigint;
  capturedMinor: bigint;
  refundedMinor: bigint;
  /** Whom the events have named as its user; none for a guest's order. */
  users: ReadonlySet<string>;
}

export interface ExpectedDispute {
  status: string;
  amountMinor: bigint;
  /** What the provider has taken of the merchant's money. */
  chargedBackMinor: bigint;
}

/** A part of a body, read without trust in its shape. */
export type Json = Record<string, unknown>;

export function part(value: unknown, ...names: (string | number)[]): unknown {
  let found = value;
  for (const name of names) found = (found as Json | null | undefined)?.[name];
  return found;
}

export function words(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** An amount that may be sent as digits. */
export function minorOf(value: unknown): bigint | null {
  if (typeof value === 'bigint') return value;
  return typeof value === 'string' && /^\d+$/.test(value) ? BigInt(value) : null;
}

/**
 * Multiplies by so many powers of ten, where the provider's minor units are not those of ISO 4217. What is less than a
 * unit is rounded to the nearest one, and never to nothing: decision 28.
 */
export function shifted(minor: bigint, powers: number): bigint {
  if (powers >= 0) return minor * 10n ** BigInt(powers);
  const unit = 10n ** BigInt(-powers);
  const [whole, rest] = [minor / unit, minor % unit];
  const rounded = rest * 2n >= unit ? whole + 1n : whole;
  return rounded === 0n && rest > 0n ? 1n : rounded;
}

const dayMs = 86_400_000;

/** A time that is more than a day ahead of its receipt rules nothing; in milliseconds. */
export function countingTime(providerMs: number, receivedAt: Date): number {
  return providerMs > receivedAt.getTime() + dayMs ? receivedAt.getTime() : providerMs;
}

export function sum(amounts: Iterable<bigint>): bigint {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return total;
}

export function largest(...amounts: bigint[]): bigint {
  let most = 0n;
  for (const amount of amounts) if (amount > most) most = amount;
  return most;
}

/** What decides an order's status, in the words of an accountant. */
export interface Account {
  /** What is held or taken of the customer's money, all attempts together. */
  authorisedMinor: bigint;
  capturedMinor: bigint;
  /** What may still be captured. */
  openMinor: bigint;
  pendingAttempts: number;
  authorisedAttempts: number;
  declinedAttempts: number;
  canceledAttempts: number;
  hasFailedCapture: boolean;
  isClosed: boolean;
}

/** The table of decision 29, read from top to bottom. */
export function statusOf(account: Account): ExpectedOrder['status'] {
  if (account.capturedMinor > 0n) return account.openMinor === 0n ? 'success' : 'updated';
  if (account.isClosed || account.hasFailedCapture) return 'failed';
  if (account.authorisedAttempts > 0) return 'updated';
  if (account.pendingAttempts > 0)
    return account.declinedAttempts + account.canceledAttempts > 0 ? 'updated' : 'created';
  return account.canceledAttempts > 0 ? 'failed' : 'updated';
}
