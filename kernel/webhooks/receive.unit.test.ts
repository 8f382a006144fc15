import { createHash } from 'node:crypto';
import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import {
  chargebackBody,
  currentSecret,
  orderBody,
  silvergateHeaders,
  stripeEvent,
  stripeSecret,
} from '../../test/webhooks/signing.ts';
import { parseReceived, serializeReceived } from '../contract/received.ts';
import { providers } from '../providers/index.ts';
import { receiveWebhook } from './receive.ts';

const card = '4242424242424242';
const provider = (name: string) => providers.find((entry) => entry.name === name)!;
const common = { requestId: 'r1', now: new Date() };
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What becomes of a silvergate body, signed as it is. */
function receive(text: string, path = 'payments/orders') {
  const silvergate = provider('silvergate');
  const { webhooks, cardData } = receiveWebhook({
    ...common,
    provider: silvergate,
    map: silvergate.paths[path]!,
    merchant: { adyenAutomaticCapture: [] },
    secrets: [currentSecret],
    rawBody: Buffer.from(text),
    headers: silvergateHeaders(text),
  });
  return { webhook: webhooks[0]!, cardData };
}

function receiveStripe(text: string) {
  const stripe = provider('stripe');
  const signature = new Stripe('sk_test_unused').webhooks.generateTestHeaderString({
    payload: text,
    secret: stripeSecret,
  });
  return receiveWebhook({
    ...common,
    provider: stripe,
    map: stripe.paths.stripe!,
    merchant: { adyenAutomaticCapture: [] },
    secrets: [stripeSecret],
    rawBody: Buffer.from(text),
    headers: { 'stripe-signature': signature },
  });
}

describe('card data', () => {
  it('is masked in body and event, under the digest of what was sent', () => {
    const text = JSON.stringify(orderBody({ meta: { note: `paid with ${card}`, cvc: '123', channel: 'web' } }));
    const { webhook, cardData } = receive(text);
    expect(cardData).toBe(true);
    expect(webhook.event).toMatchObject({ meta: { note: 'paid with ************4242', cvc: '***', channel: 'web' } });
    expect(JSON.parse(webhook.body)).toMatchObject({ order_id: (webhook.event as { orderId: string }).orderId });
    expect(webhook.bodySha256).toBe(sha256(text));
    expect(serializeReceived(webhook)).not.toContain(card);
    expect(parseReceived(serializeReceived(webhook))).toEqual(webhook);
  });

  it("is masked in a dispute's reason", () => {
    const text = JSON.stringify(chargebackBody({ reason: `card ${card}` }));
    expect(receive(text, 'payments/chargebacks').webhook.event).toMatchObject({ reason: 'card ************4242' });
  });

  it('is masked where the event has no use for it, and in the fingerprint', () => {
    const charge = { id: 'ch_1', object: 'charge', amount: 100, currency: 'eur', status: 'succeeded' };
    const event = stripeEvent({ id: 'evt_1', type: 'charge.succeeded', object: { ...charge, description: card } });
    const { webhooks, cardData } = receiveStripe(JSON.stringify(event));
    expect(cardData).toBe(true);
    expect(serializeReceived(webhooks[0]!)).not.toContain(card);
    // Stripe repeats a delivery with another number of pending ones.
    const again = receiveStripe(JSON.stringify({ ...event, pending_webhooks: 0 }));
    expect(again.webhooks[0]!.bodySha256).toBe(webhooks[0]!.bodySha256);
    const other = { ...event, data: { object: { ...charge, description: '4111111111111111' } } };
    expect(receiveStripe(JSON.stringify(other)).webhooks[0]!.bodySha256).not.toBe(webhooks[0]!.bodySha256);
  });

  it('is in none of the usual bodies, which stay byte for byte', () => {
    const text = JSON.stringify(
      orderBody({ meta: { cid: '4711', imei: '353918052107063', ean: '4006381333931' } }),
      null,
      2,
    );
    const { webhook, cardData } = receive(text);
    expect([cardData, webhook.body]).toEqual([false, text]);
    expect(webhook.event).toMatchObject({ meta: { cid: '4711' } });
  });
});

describe('numbers in metadata', () => {
  it.each(['9007199254740993', '12345678901234567890', '0.12345678901234567890123', '0.5', '-7'])(
    '%s comes out of the topic as it was sent',
    (number) => {
      const text = JSON.stringify(orderBody({ meta: { n: 0, value: 1 } }))
        .replace('"n":0', `"n":${number}`)
        .replace('"value":1', `"value":${number}`);
      const { webhook } = receive(text);
      const message = serializeReceived(webhook);
      expect(message).toContain(`"meta":{"n":${number},"value":${number}}`);
      expect(serializeReceived(parseReceived(message))).toBe(message);
    },
  );
});
