/** What a provider sends: an event of Stripe, or one item of a notification of Adyen. */
export interface ProviderEvent {
  provider: 'adyen' | 'stripe';
  body: Record<string, unknown>;
}

/** What a test wants to be different; `at` counts minutes. */
type Change = Record<string, unknown> & { at?: number };

const start = Date.UTC(2026, 0, 1);
let serial = 0;

function adyenItem({ at = 0, value = 1000, currency = 'EUR', success = true, ...fields }: Change): ProviderEvent {
  const body = {
    merchantAccountCode: 'Shop',
    merchantReference: 'ord_1',
    originalReference: '',
    eventDate: new Date(start + at * 60_000).toISOString(),
    amount: { value, currency },
    success: String(success),
    ...fields,
  };
  return { provider: 'adyen', body };
}

export const authorise = (psp: string, change: Change = {}) =>
  adyenItem({ eventCode: 'AUTHORISATION', pspReference: psp, ...change });
export const modify = (eventCode: string, psp: string, original: string, change: Change = {}) =>
  adyenItem({ eventCode, pspReference: psp, originalReference: original, at: 1, ...change });

function stripeEvent({ at = 0, type, ...object }: Change): ProviderEvent {
  serial += 1;
  const created = start / 1_000 + at * 60;
  return { provider: 'stripe', body: { id: `evt_${serial}`, object: 'event', type, created, data: { object } } };
}

export const charge = (type: string, change: Change) =>
  stripeEvent({
    type,
    object: 'charge',
    id: 'ch_1',
    amount: 1000,
    currency: 'eur',
    status: 'succeeded',
    captured: true,
    payment_intent: 'pi_1',
    customer: null,
    metadata: { order_id: 'ord_1' },
    ...change,
  });
export const refund = (type: string, id: string, amount: number, status: string, at: number) =>
  stripeEvent({
    type,
    object: 'refund',
    id,
    amount,
    currency: 'eur',
    status,
    charge: 'ch_1',
    payment_intent: 'pi_1',
    at,
  });
export const dispute = (type: string, change: Change) =>
  stripeEvent({
    type,
    object: 'dispute',
    id: 'du_1',
    amount: 1000,
    currency: 'eur',
    status: 'needs_response',
    reason: 'fraudulent',
    charge: 'ch_1',
    payment_intent: 'pi_1',
    ...change,
  });

/** The names above and those of `payment-lives.ts`, as in `A1`, `ch_2` or `ord_1-shipment-1`. */
const name = /^((?:guest:)?(?:[ACDGRX][0-9]|(?:ord|ch|pi|re|du|cus|usr|shopper|evt)_[0-9]+))(?=$|-)/;

/** The same for names of its own, so that a system can be sent it again: each gets this end of letters and digits. */
export function renamed<T>(value: T, end: string): T {
  const rename = (_key: string, one: unknown): unknown =>
    typeof one === 'string' ? one.replace(name, (_all, known: string) => `${known}${end}`) : one;
  return JSON.parse(JSON.stringify(value), rename) as T;
}
