import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { PlannedWebhook } from '../workload/workload.ts';

/** A delivery as it goes over the wire. */
export interface SignedWebhook {
  /** Path on the API. */
  path: string;
  /** Names and values in turn. */
  headers: string[];
  body: string;
}

/** Signs one attempt of a delivery. A repeated attempt has the same id and body and, but for Adyen, a new signature. */
export type Signer = (webhook: Pick<PlannedWebhook, 'path' | 'body' | 'providerEventId'>, now: Date) => SignedWebhook;

/** Signers by provider, in the forms that each provider documents. */
export function createSigners(secrets: { silvergate: string; stripe: string; adyen: string }) {
  return {
    silvergate: silvergateSigner(secrets.silvergate),
    stripe: stripeSigner(secrets.stripe),
    adyen: adyenSigner(secrets.adyen),
  };
}

const json = ['content-type', 'application/json'];

/** Standard Webhooks. @param secret whsec_ and base64 */
export function silvergateSigner(secret: string): Signer {
  const key = createSecretKey(Buffer.from(secret.replace(/^whsec_/, ''), 'base64'));
  return ({ path, body, providerEventId: id }, now) => {
    const seconds = unixSeconds(now);
    const signature = `v1,${hmac(key, `${id}.${seconds}.${body}`, 'base64')}`;
    const headers = [...json, 'webhook-id', id, 'webhook-timestamp', seconds, 'webhook-signature', signature];
    return { path: `/webhooks/${path}`, headers, body };
  };
}

/** Stripe-Signature. @param secret whsec_ and text, used as it is */
export function stripeSigner(secret: string): Signer {
  const key = createSecretKey(Buffer.from(secret));
  return ({ path, body }, now) => {
    const seconds = unixSeconds(now);
    const signature = `t=${seconds},v1=${hmac(key, `${seconds}.${body}`, 'hex')}`;
    return { path: `/webhooks/${path}`, headers: [...json, 'stripe-signature', signature], body };
  };
}

/** Adyen's signature lies in each item of the body. @param secret 64 hexadecimal digits */
export function adyenSigner(secret: string): Signer {
  const key = createSecretKey(Buffer.from(secret, 'hex'));
  return ({ path, body }) => {
    const batch = JSON.parse(body) as { notificationItems: { NotificationRequestItem: AdyenItem }[] };
    for (const { NotificationRequestItem: item } of batch.notificationItems) {
      const { pspReference, originalReference, merchantAccountCode, merchantReference, amount, eventCode, success } =
        item;
      const fields = [pspReference, originalReference, merchantAccountCode, merchantReference];
      const text = [...fields, amount.value, amount.currency, eventCode, success].join(':');
      item.additionalData.hmacSignature = hmac(key, text, 'base64');
    }
    return { path: `/webhooks/${path}`, headers: json, body: JSON.stringify(batch) };
  };
}

interface AdyenItem {
  additionalData: Record<string, string>;
  pspReference: string;
  originalReference: string;
  merchantAccountCode: string;
  merchantReference: string;
  amount: { value: number; currency: string };
  eventCode: string;
  success: string;
}

function unixSeconds(now: Date): string {
  return String(Math.floor(now.getTime() / 1000));
}

function hmac(key: KeyObject, text: string, encoding: 'base64' | 'hex'): string {
  return createHmac('sha256', key).update(text).digest(encoding);
}
