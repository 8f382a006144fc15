import { createHmac, randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';

const secretOf = (letter: string): string => `whsec_${Buffer.from(letter.repeat(32)).toString('base64')}`;

export const currentSecret = secretOf('n');
/** The one that `currentSecret` replaces: still active. */
export const formerSecret = secretOf('f');
export const strangerSecret = secretOf('s');
export const stripeSecret = 'whsec_stripeTestSecret0123456789abcdef';
export const adyenSecret = '44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056';

export const testSecrets: ReadonlyMap<string, readonly string[]> = new Map([
  ['silvergate', [currentSecret, formerSecret]],
  ['stripe', [stripeSecret]],
  ['adyen', [adyenSecret]],
]);

export interface Signing {
  secret?: string;
  at?: Date;
  id?: string;
}

/** Headers that the public Standard Webhooks library makes for a body. */
export function silvergateHeaders(body: string, signing: Signing = {}): Record<string, string> {
  const { secret = currentSecret, at = new Date(), id = `msg_${randomUUID()}` } = signing;
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  };
}

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the tests look into answers of every shape.
  body: any;
}

/** Posts exactly these bytes with these headers. */
export async function post(
  url: string,
  body: string | Uint8Array<ArrayBuffer> | ReadableStream,
  headers: Record<string, string>,
): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', body, headers });
  return answerOf(response);
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const json = response.headers.get('content-type')?.includes('json') && text !== '';
  return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
}

let counter = 0;

/** A valid order webhook, with what the test wants to be different. */
export function orderBody(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  const n = ++counter;
  return {
    provider_event_id: `evt_${process.pid}_${n}`,
    order_id: `ord_${process.pid}_${n}`,
    user_id: 'user_1',
    status: 'created',
    amount_minor: 1999,
    currency: 'EUR',
    created_at: '2026-01-31T12:00:00Z',
    updated_at: '2026-01-31T12:00:00Z',
    ...overrides,
  };
}

/** A valid chargeback webhook, with what the test wants to be different. */
export function chargebackBody(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  const n = ++counter;
  return {
    provider_event_id: `cbk_${process.pid}_${n}`,
    order_id: `ord_${process.pid}_${n}`,
    user_id: 'user_1',
    status: 'opened',
    reason: 'fraud',
    amount_minor: 1999,
    currency: 'EUR',
    occurred_at: '2026-02-01T12:00:00Z',
    ...overrides,
  };
}

/** Posts a signed silvergate webhook. */
export function postSilvergate(
  baseUrl: string,
  path: 'orders' | 'chargebacks',
  body: Record<string, unknown>,
  signing?: Signing,
): Promise<Answer> {
  const text = JSON.stringify(body);
  return post(`${baseUrl}/webhooks/payments/${path}`, text, silvergateHeaders(text, signing));
}

/** An event as Stripe delivers it. */
export function stripeEvent(event: { id: string; type: string; object: object }): Record<string, unknown> {
  const { id, type, object } = event;
  const created = 1_767_225_600;
  return { id, object: 'event', type, created, livemode: false, pending_webhooks: 1, data: { object } };
}

/** Posts a webhook that the public library has signed. `change` comes between signing and sending. */
export function postStripe(
  baseUrl: string,
  event: Record<string, unknown>,
  { secret = stripeSecret, change = (text) => text }: { secret?: string; change?: (text: string) => string } = {},
): Promise<Answer> {
  const payload = JSON.stringify(event);
  const signature = new Stripe('sk_test_unused').webhooks.generateTestHeaderString({ payload, secret });
  return post(`${baseUrl}/webhooks/stripe`, change(payload), {
    'content-type': 'application/json; charset=utf-8',
    'stripe-signature': signature,
  });
}

/** An item of a notification, signed as Adyen does it. */
export function signedAdyenItem(item: object, secret = adyenSecret): Record<string, unknown> {
  const fields = item as AdyenItem;
  const text = [
    fields.pspReference,
    fields.originalReference ?? '',
    fields.merchantAccountCode,
    fields.merchantReference ?? '',
    fields.amount?.value ?? '',
    fields.amount?.currency ?? '',
    fields.eventCode,
    fields.success,
  ].join(':');
  const hmacSignature = createHmac('sha256', Buffer.from(secret, 'hex')).update(text).digest('base64');
  return { ...item, additionalData: { ...fields.additionalData, hmacSignature } };
}

interface AdyenItem {
  pspReference: string;
  originalReference?: string;
  merchantAccountCode: string;
  merchantReference?: string;
  amount?: { value: number; currency: string };
  eventCode: string;
  success: string;
  additionalData?: object;
}

/** Posts items that are signed already, as one notification. */
export function postAdyen(baseUrl: string, items: readonly object[]): Promise<Answer> {
  const notificationItems = items.map((item) => ({ NotificationRequestItem: item }));
  return post(`${baseUrl}/webhooks/adyen`, JSON.stringify({ live: 'false', notificationItems }), {
    'content-type': 'application/json',
  });
}
