import { createHmac, hash, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { amountMinor, currency, providerEventId, timestamp } from '../contract/fields.ts';
import { toIdentifier } from '../contract/identifiers.ts';
import { type OperationReport, type PaymentReport, unsaid } from '../contract/payment.ts';
import { attemptReference, type ContractEvent, type DisputeWebhook, type OrderWebhook } from '../contract/webhooks.ts';
import { toIsoMinorUnits } from './amounts.ts';
import { freeFormObject, reasonMaxLength } from './free-form.ts';
import type { MerchantSettings, Provider, SignedRequest } from './provider.ts';
import { anySignatureMatches } from './signature.ts';
import { signingKeys } from './signing-keys.ts';

// Longer than 300 lines because a provider is one file.

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

/** What every item has. Items without an effect are held to no more than this. */
const anyItem = z.object({
  pspReference: z.string().max(1_000),
  merchantAccountCode: z.string().max(200),
  eventCode: z.string().min(1).max(200),
  success: z.union([z.enum(['true', 'false']), z.boolean()]).transform((value) => value === true || value === 'true'),
});

/** An item about a payment or a dispute. */
const item = anyItem.extend({
  additionalData: freeFormObject.nullish(),
  pspReference: z.string().regex(/^[A-Za-z0-9]{1,64}$/, 'must be a PSP reference'),
  originalReference: z.string().max(200).nullish(),
  merchantReference: z.string().max(200).nullish(),
  eventDate: timestamp,
  reason: z.string().max(2000).nullish(),
  amount: z.object({ value: z.union([z.literal(0), z.literal('0'), amountMinor]), currency: z.string() }).nullish(),
});
type Item = z.infer<typeof item>;

const anyBatch = z.object({
  notificationItems: z
    .array(z.object({ NotificationRequestItem: z.unknown() }))
    .min(1)
    .max(maxItems),
});

type Path = (string | number)[];

function mapBatch(input: unknown, merchant?: MerchantSettings): ContractEvent[] {
  const automatic = merchant?.adyenAutomaticCapture ?? [];
  return anyBatch
    .parse(input)
    .notificationItems.map(({ NotificationRequestItem }, index) =>
      mapItem(NotificationRequestItem, ['notificationItems', index, 'NotificationRequestItem'], automatic),
    );
}

function mapItem(input: unknown, path: Path, automatic: readonly string[]): ContractEvent {
  const { eventCode } = (input ?? {}) as { eventCode?: unknown };
  const say = sayingOf(eventCode);
  if (!say && !isDispute(eventCode)) {
    const body = parseItem(anyItem, input, path);
    return { ...identify(body, input), target: 'none', type: body.eventCode };
  }
  const body = parseItem(item, input, path);
  const isAutomatic = automatic.includes(body.merchantAccountCode);
  const mapped = say ? mapOrder(body, say, path, isAutomatic) : mapDispute(body, disputeState(body), path);
  return { ...identify(body, input), ...mapped };
}

function sayingOf(code: unknown): SayOf | undefined {
  return typeof code === 'string' && Object.hasOwn(orderCodes, code) ? orderCodes[code] : undefined;
}

function isDispute(code: unknown): boolean {
  return typeof code === 'string' && Object.hasOwn(disputeStates, code);
}

/**
 * Two merchant accounts may use one name: reports, for instance, have the names of their files as reference. One raw
 * body may carry several events, and Adyen repeats an item within another batch: hence the fingerprint.
 */
function identify({ pspReference, eventCode, success, merchantAccountCode }: z.infer<typeof anyItem>, input: unknown) {
  const text = `${pspReference}|${eventCode}|${success}|${merchantAccountCode}`;
  return {
    providerEventId: providerEventId.safeParse(text).success ? text : `adyen:${hash('sha256', text, 'hex')}`,
    fingerprint: JSON.stringify(signedFields(input as SignedFields)),
  };
}

function parseItem<T extends z.ZodType>(schema: T, input: unknown, path: Path): z.output<T> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new z.ZodError(result.error.issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] })));
}

type Saying = Pick<OrderWebhook, 'status' | 'introduces'> & { payment: Partial<PaymentReport> };
/** @param isAutomatic whether the account captures without a request */
type SayOf = (body: Item, amountMinor: bigint | null, isAutomatic: boolean) => Saying;

/**
 * What each event says about its order. An authorisation introduces it; each has a reference of its own, by which
 * captures, cancellations and refunds name it. What was refused leaves the order open: the customer may try another card
 * under the same reference, and a capture may be asked for again.
 * https://docs.adyen.com/development-resources/webhooks/webhook-types
 */
const orderCodes: Readonly<Record<string, SayOf>> = {
  AUTHORISATION: (body, amountMinor, isAutomatic) => ({
    status: body.success && isAutomatic ? 'success' : 'updated',
    introduces: true,
    payment: {
      attempt: body.pspReference,
      namesAttempt: true,
      state: body.success ? 'authorised' : 'declined',
      amountMinor,
      operations: body.success && isAutomatic ? [capture(body, 'succeeded', amountMinor, isAutomatic)] : [],
    },
  }),
  AUTHORISATION_ADJUSTMENT: ({ success }, amountMinor) => ({
    status: 'updated',
    introduces: false,
    payment: success ? { state: 'authorised', amountMinor } : {},
  }),
  CAPTURE: (body, amountMinor, isAutomatic) => ({
    status: body.success ? 'success' : 'updated',
    introduces: false,
    payment: { operations: [capture(body, body.success ? 'succeeded' : 'refused', amountMinor, isAutomatic)] },
  }),
  CAPTURE_FAILED: (body, amountMinor, isAutomatic) => ({
    status: 'failed',
    introduces: false,
    payment: { operations: [capture(body, 'failed', amountMinor, isAutomatic)] },
  }),
  CANCELLATION: cancellation,
  TECHNICAL_CANCEL: cancellation,
  EXPIRE: cancellation,
  CANCEL_OR_REFUND: (body, amountMinor, isAutomatic) =>
    body.additionalData?.['modification.action'] === 'refund'
      ? refund(body, amountMinor)
      : cancellation(body, amountMinor, isAutomatic),
  REFUND: refund,
  REFUND_FAILED: (body, amountMinor) => refunded(body, 'failed', amountMinor),
  REFUNDED_REVERSED: (body, amountMinor) => refunded(body, 'reversed', amountMinor),
};

function cancellation(body: Item, amountMinor: bigint | null, isAutomatic: boolean): Saying {
  if (!body.success) return { status: 'updated', introduces: false, payment: {} };
  // Without a reference it can only mean the whole order.
  if (!body.originalReference) return { status: 'failed', introduces: false, payment: { closes: true } };
  // An account may capture some hours or days later. What was canceled until then is not captured.
  const operations = isAutomatic ? [capture(body, 'failed', amountMinor, isAutomatic)] : [];
  return { status: 'failed', introduces: false, payment: { state: 'canceled', operations } };
}

/** The capture of an account that needs no request has no reference of its own: there is one for each authorisation. */
function capture(
  { pspReference, originalReference }: Item,
  state: OperationReport['state'],
  amountMinor: bigint | null,
  isAutomatic: boolean,
): OperationReport {
  const reference = isAutomatic && originalReference ? originalReference : pspReference;
  return { kind: 'capture', reference, state, amountMinor };
}

function refund(body: Item, amountMinor: bigint | null): Saying {
  return refunded(body, body.success ? 'succeeded' : 'refused', amountMinor);
}

function refunded(
  { pspReference: reference }: Item,
  state: OperationReport['state'],
  amountMinor: bigint | null,
): Saying {
  return {
    status: 'updated',
    introduces: false,
    payment: { operations: [{ kind: 'refund', reference, state, amountMinor }] },
  };
}

function mapOrder(
  body: Item,
  say: SayOf,
  path: Path,
  isAutomatic: boolean,
): Omit<OrderWebhook, 'providerEventId' | 'fingerprint'> {
  const amount = amountOf(body, path);
  const { status, introduces, payment } = say(body, amount?.amountMinor ?? null, isAutomatic);
  const report = { ...unsaid, attempt: body.originalReference || null, currency: amount?.currency ?? null, ...payment };
  return {
    target: 'order',
    ...orderAndUser(body, path),
    attemptReference: report.attempt === null ? null : attemptReference('adyen', report.attempt),
    status,
    introduces,
    amountMinor: amount?.amountMinor ?? null,
    currency: amount?.currency ?? null,
    providerUpdatedAt: body.eventDate,
    payment: report,
    meta: metaOf(body),
  };
}

type DisputeState = Pick<DisputeWebhook, 'kind' | 'status' | 'funds' | 'overrules'>;

const notified: DisputeState = { kind: 'webhook_opened', status: 'open', funds: null, overrules: false };
const decidedWon: DisputeState = { kind: 'provider_decision', status: 'won', funds: null, overrules: true };
const decidedLost: DisputeState = { kind: 'provider_decision', status: 'lost', funds: 'withdrawn', overrules: true };

/**
 * Adyen's dispute flow: https://docs.adyen.com/risk-management/disputes-api/dispute-notifications. A chargeback takes the
 * money and its reversal gives it back; a reversed one is not yet won: the issuer may still send a second one, which is
 * lost and takes the money again.
 */
const disputeStates: Readonly<Record<string, DisputeState>> = {
  NOTIFICATION_OF_CHARGEBACK: notified,
  CHARGEBACK: { ...notified, kind: 'webhook_updated', funds: 'withdrawn' },
  CHARGEBACK_REVERSED: { kind: 'webhook_updated', status: 'under_review', funds: 'reinstated', overrules: false },
  SECOND_CHARGEBACK: decidedLost,
  PREARBITRATION_WON: decidedWon,
  PREARBITRATION_LOST: decidedLost,
  ISSUER_RESPONSE_TIMEFRAME_EXPIRED: { ...decidedWon, overrules: false },
};

const mappedCodes = [...Object.keys(orderCodes), ...Object.keys(disputeStates)];

/** What documents say of a batch. */
export const batchBody = z.object({
  live: z.unknown().optional(),
  notificationItems: z
    .array(
      z.object({
        NotificationRequestItem: z.union([
          item.extend({ eventCode: z.enum(mappedCodes) }),
          z.looseObject({
            ...anyItem.shape,
            eventCode: z
              .string()
              .min(1)
              .max(200)
              .meta({ not: { enum: mappedCodes } }),
          }),
        ]),
      }),
    )
    .min(1)
    .max(maxItems),
});

function disputeState({ eventCode, additionalData }: Item): DisputeState {
  const state = disputeStates[eventCode]!;
  if (state.kind === 'provider_decision') return state;
  // Where Adyen states the outcome itself, the event's name need not be interpreted.
  const outcome = additionalData?.disputeStatus;
  if (outcome !== 'Won' && outcome !== 'Lost') return state;
  return { ...state, kind: 'provider_decision', status: outcome === 'Won' ? 'won' : 'lost' };
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
    attemptReference: body.originalReference ? attemptReference('adyen', body.originalReference) : null,
    ...state,
    reason: reasonOf(body),
    ...amount,
    providerUpdatedAt: body.eventDate,
    evidenceDueAt: due.success ? due.data : null,
    meta: metaOf(body),
  };
}

/** Adyen repeats neither the shopper nor always the merchant's reference in what comes after the authorisation. */
function orderAndUser(body: Item, path: Path): { orderId: string; userId: string | null } {
  const reference = body.merchantReference || body.originalReference;
  if (!reference) throw fieldError([...path, 'merchantReference'], 'is required');
  const shopper = body.additionalData?.shopperReference;
  return {
    orderId: toIdentifier('adyen:', reference),
    userId: typeof shopper === 'string' && shopper !== '' ? toIdentifier('adyen:', shopper) : null,
  };
}

function amountOf(body: Item, path: Path): { amountMinor: bigint; currency: string } | undefined {
  const value = body.amount?.value;
  // Adyen sends 0 where there is no amount, as in the check of a card without a payment.
  if (typeof value !== 'bigint') return undefined;
  const code = currency.safeParse(body.amount?.currency);
  if (!code.success) throw fieldError([...path, 'amount', 'currency'], 'must be an ISO 4217 currency code in capitals');
  const amount = toIsoMinorUnits(value, code.data, exponents);
  if (amount === undefined) throw fieldError([...path, 'amount', 'value'], 'must be below 2^63 minor units');
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
