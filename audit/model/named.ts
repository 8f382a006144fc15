import { itemOf } from './adyen.ts';
import { part, words } from './facts.ts';

/** Whom a body names as the order's user, in its provider's words; null where it names none. */
export function namedUser(provider: string, providerEventId: string, body: unknown): string | null {
  if (provider === 'silvergate') return words(part(body, 'user_id'));
  if (provider === 'adyen') return words(part(itemOf(body, providerEventId), 'additionalData', 'shopperReference'));
  const object = part(body, 'data', 'object');
  return words(part(object, 'metadata', 'user_id')) ?? words(part(object, 'customer'));
}

/** The currency of a body, by its code of ISO 4217. */
export function namedCurrency(provider: string, providerEventId: string, body: unknown): string | null {
  if (provider === 'silvergate') return words(part(body, 'currency'));
  if (provider === 'adyen') return words(part(itemOf(body, providerEventId), 'amount', 'currency'));
  return words(part(body, 'data', 'object', 'currency'))?.toUpperCase() ?? null;
}
