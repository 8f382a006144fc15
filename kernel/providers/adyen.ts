import { createHmac, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { amountMinor, currency, providerEventId, timestamp } from '../contract/fields.ts';
import type { DisputeStatus, OrderStatus } from '../contract/status.ts';
import type { ContractEvent, DisputeWebhook, OrderWebhook } from '../contract/webhooks.ts';
import { toIsoMinorUnits } from './amounts.ts';
import { freeFormObject, reasonMaxLength } from './free-form.ts';
import { derivedIdentifier, toIdentifier } from './identifiers.ts';
import type { Provider, SignedRequest } from './provider.ts';
import { anySignatureMatches } from './signature.ts';
import { signingKeys } from './signing-keys.ts';

/**
 * Adyen's standard webhooks: a batch of notification items, each with a signature of its own over eight of its fields
 * (https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures). The scheme signs no
 * time, so that an old batch verifies for ever and only deduplication stops a replay; and it leaves `eventDate`,
 * `reason` and `additionalData` unsigned, so that a proxy that can alter a batch on its way can alter those.
 */
export const adyen: Provider = {
  name: 'adyen',
  paths: { adyen: mapBatch },
  verify,
  checkSecret,
  acceptedText: '[accepted]',
};

/** Adyen sends one item a batch over JSON and up to six over SOAP. */
const maxItems = 16;
const keysOf = signingKeys((secret) => Buffer.from(secret, 'hex'));

const signedItem = z.object({
  NotificationRequestItem: z.object({
    additionalData: z.object({ hmacSignature: z.string() }),
    pspReference: z.string(),
    originalReference: z.string().nullish(),
    merchantAccountCode: z.string(),
    merchantReference: z.string().nullish(),
    amount: z.object({ value: z.union([z.number(), z.string()]), currency: z.string() }).nullish(),
    eventCode: z.string(),
    success: z.union([z.string(), z.boolean()]),
  }),
});
const signedBatch = z.object({ notificationItems: z.array(signedItem).min(1).max(maxItems) });
type SignedFields = z.infer<typeof signedItem>['NotificationRequestItem'];

/** Every item has to verify: a batch that mixes signed and forged items is refused as a whole. */
function verify({ rawBody, secrets }: SignedRequest): boolean {
  let parsed: unknown;
  try {
    parsed = JSON.parse(rawBody.toString('utf8'));
  } catch {
    return false;
  }
  const batch = signedBatch.safeParse(parsed);
  if (!batch.success) return false;
  const keys = keysOf(secrets);
  return batch.data.notificationItems.every(({ NotificationRequestItem: item }) => verifyItem(item, keys));
}

function verifyItem(item: SignedFields, keys: readonly KeyObject[]): boolean {
  const fields = signedFields(item);
  // Only the merchant's own reference may contain the separator; elsewhere it would let text move between fields.
  if (fields.some((field, index) => index !== merchantReferenceIndex && field.includes(':'))) return false;
  const texts = new Set([fields.join(':'), fields.map(escapeSeparator).join(':')]);
  const expected = keys.flatMap((key) =>
    [...texts].map((text) => createHmac('sha256', key).update(text).digest('base64')),
  );
  return anySignatureMatches([item.additionalData.hmacSignature], expected);
}

const merchantReferenceIndex = 3;

function signedFields(item: SignedFields): string[] {
  return [
    item.pspReference,
    item.originalReference ?? '',
    item.merchantAccountCode,
    item.merchantReference ?? '',
    String(item.amount?.value ?? ''),
    item.amount?.currency ?? '',
    item.eventCode,
    String(item.success),
  ];
}

/** Adyen's libraries differ: Ruby's escapes a reference that contains `:` or `\`, the others do not. Both are taken. */
function escapeSeparator(field: string): string {
  return field.replace(/[\\:]/g, '\\$&');
}

function checkSecret(secret: string): string | undefined {
  return /^[0-9A-Fa-f]{64}$/.test(secret) ? undefined : 'must be 64 hexadecimal digits';
}

/** Where Adyen's amounts deviate from ISO 4217: https://docs.adyen.com/development-resources/currency-codes */
const exponents = { CLP: 2, CVE: 0, IDR: 0, ISK: 2 };

const item = z.object({
  additionalData: freeFormObject.nullish(),
  pspReference: z.string().regex(/^[A-Za-z0-9]{1,64}$/, 'must be a PSP reference'),
  originalReference: z.string().nullish(),
  merchantAccountCode: z.string().max(200),
  merchantReference: z.string().max(200).nullish(),
  eventCode: z.string().regex(/^[A-Z_]{1,60}$/, 'must be an event code'),
  eventDate: timestamp,
  reason: z.string().max(2000).nullish(),
  success: z.union([z.enum(['true', 'false']), z.boolean()]).transform((value) => value === true || value === 'true'),
  amount: z.object({ value: z.union([z.literal(0), z.literal('0'), amountMinor]), currency: z.string() }).nullish(),
});
type Item = z.infer<typeof item>;

export const batchBody = z.object({
  live: z.union([z.string(), z.boolean()]).optional(),
  notificationItems: z
    .array(z.object({ NotificationRequestItem: item }))
    .min(1)
    .max(maxItems),
});

function mapBatch(input: unknown): ContractEvent[] {
  return batchBody
    .parse(input)
    .notificationItems.map(({ NotificationRequestItem: body }, index) =>
      mapItem(body, ['notificationItems', index, 'NotificationRequestItem']),
    );
}

type Path = (string | number)[];

function mapItem(body: Item, path: Path): ContractEvent {
  const identified = {
    providerEventId: providerEventId.parse(`${body.pspReference}|${body.eventCode}|${body.success}`),
    // One raw body may carry several events, and Adyen repeats an item within another batch.
    fingerprint: JSON.stringify([
      body.pspReference,
      body.originalReference ?? '',
      body.merchantAccountCode,
      body.merchantReference ?? '',
      String(body.amount?.value ?? ''),
      body.amount?.currency ?? '',
      body.eventCode,
      body.success,
    ]),
  };
  const status = orderStatus(body);
  if (status !== undefined) return { ...identified, ...mapOrder(body, status, path) };
  const state = disputeState(body);
  if (state !== undefined) return { ...identified, ...mapDispute(body, state, path) };
  return { ...identified, target: 'none', type: body.eventCode };
}

/**
 * An authorisation introduces the order and a capture pays it. What was refused leaves the order open: the customer may
 * try another card under the same reference, and a capture or cancellation may be asked for again.
 */
function orderStatus({ eventCode, success }: Item): OrderStatus | undefined {
  if (eventCode === 'AUTHORISATION') return 'updated';
  if (eventCode === 'CAPTURE') return success ? 'success' : 'updated';
  if (eventCode === 'CAPTURE_FAILED') return 'failed';
  if (eventCode === 'CANCELLATION') return success ? 'failed' : 'updated';
  return undefined;
}

function mapOrder(body: Item, status: OrderStatus, path: Path): Omit<OrderWebhook, 'providerEventId' | 'fingerprint'> {
  const amount = amountOf(body, path);
  return {
    target: 'order',
    ...orderAndUser(body, path),
    status,
    introduces: body.eventCode === 'AUTHORISATION',
    amountMinor: amount?.amountMinor ?? null,
    currency: amount?.currency ?? null,
    providerUpdatedAt: body.eventDate,
    meta: metaOf(body),
  };
}

type DisputeState = { kind: DisputeWebhook['kind']; status: DisputeStatus };

/**
 * Adyen's dispute flow: https://docs.adyen.com/risk-management/disputes-api/dispute-notifications. A reversed
 * chargeback is not yet won: the issuer may still send a second one, which is lost.
 */
const disputeStates: Readonly<Record<string, DisputeState>> = {
  NOTIFICATION_OF_CHARGEBACK: { kind: 'webhook_opened', status: 'open' },
  CHARGEBACK: { kind: 'webhook_updated', status: 'open' },
  CHARGEBACK_REVERSED: { kind: 'webhook_updated', status: 'under_review' },
  SECOND_CHARGEBACK: { kind: 'provider_decision', status: 'lost' },
  PREARBITRATION_WON: { kind: 'provider_decision', status: 'won' },
  PREARBITRATION_LOST: { kind: 'provider_decision', status: 'lost' },
  ISSUER_RESPONSE_TIMEFRAME_EXPIRED: { kind: 'provider_decision', status: 'won' },
};

function disputeState({ eventCode, additionalData }: Item): DisputeState | undefined {
  const state = Object.hasOwn(disputeStates, eventCode) ? disputeStates[eventCode] : undefined;
  if (state === undefined || state.kind === 'provider_decision') return state;
  // Where Adyen states the outcome itself, the event's name need not be interpreted.
  if (additionalData?.disputeStatus === 'Won') return { kind: 'provider_decision', status: 'won' };
  if (additionalData?.disputeStatus === 'Lost') return { kind: 'provider_decision', status: 'lost' };
  return state;
}

function mapDispute(
  body: Item,
  state: DisputeState,
  path: Path,
): Omit<DisputeWebhook, 'providerEventId' | 'fingerprint'> {
  const amount = amountOf(body, path);
  if (!amount) throw fieldError([...path, 'amount'], 'is required and must be above 0');
  const due = timestamp.safeParse(body.additionalData?.defensePeriodEndsAt);
  return {
    target: 'dispute',
    disputeId: toIdentifier('adyen:', body.pspReference),
    ...orderAndUser(body, path),
    ...state,
    reason: reasonOf(body),
    ...amount,
    providerUpdatedAt: body.eventDate,
    evidenceDueAt: due.success ? due.data : null,
    meta: metaOf(body),
  };
}

function orderAndUser(body: Item, path: Path): { orderId: string; userId: string } {
  const { merchantReference: reference } = body;
  if (!reference) throw fieldError([...path, 'merchantReference'], 'is required');
  const shopper = body.additionalData?.shopperReference;
  return {
    orderId: toIdentifier('adyen:', reference),
    userId:
      typeof shopper === 'string' && shopper !== ''
        ? toIdentifier('adyen:', shopper)
        : derivedIdentifier('adyen:', reference),
  };
}

function amountOf(body: Item, path: Path): { amountMinor: bigint; currency: string } | undefined {
  const value = body.amount?.value;
  // Adyen sends 0 where there is no amount, as in the check of a card without a payment.
  if (typeof value !== 'bigint') return undefined;
  const code = currency.safeParse(body.amount?.currency);
  if (!code.success) throw fieldError([...path, 'amount', 'currency'], 'must be an ISO 4217 currency code in capitals');
  const amount = toIsoMinorUnits(value, code.data, exponents);
  if (amount === undefined) throw fieldError([...path, 'amount', 'value'], 'must be whole minor units');
  return { amountMinor: amount, currency: code.data };
}

function reasonOf({ reason, eventCode }: Item): string {
  const printable = (reason ?? '')
    .replace(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, reasonMaxLength)
    // The cut may have halved a character.
    .toWellFormed();
  return printable === '' ? eventCode.toLowerCase() : printable;
}

function metaOf(body: Item): Record<string, unknown> {
  const { hmacSignature: _signature, ...data } = body.additionalData ?? {};
  return { ...data, event_code: body.eventCode, psp_reference: body.pspReference };
}

function fieldError(path: Path, message: string): z.ZodError {
  return new z.ZodError([{ code: 'custom', path, message, input: undefined }]);
}
