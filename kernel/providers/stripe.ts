import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { amountMinor, currency, providerEventId, unixTime } from '../contract/fields.ts';
import type { DisputeStatus, OrderStatus } from '../contract/status.ts';
import type { ContractEvent, DisputeWebhook, OrderWebhook } from '../contract/webhooks.ts';
import { toIsoMinorUnits } from './amounts.ts';
import { disputeReason, freeFormObject } from './free-form.ts';
import { derivedIdentifier, toIdentifier } from './identifiers.ts';
import type { Provider, SignedRequest } from './provider.ts';
import { anySignatureMatches, isWithinTolerance, maxSignatures, singleHeader } from './signature.ts';
import { signingKeys } from './signing-keys.ts';

/**
 * Stripe's webhooks: https://docs.stripe.com/webhooks#verify-manually for the signature and
 * https://docs.stripe.com/api/events/types for the events. Charges and canceled payment intents become orders, disputes
 * become disputes; every other event is stored without an effect.
 */
export const stripe: Provider = { name: 'stripe', paths: { stripe: mapEvent }, verify, checkSecret };

// Stripe uses the text of the secret as the key, prefix included, and not the bytes that it might encode.
const keysOf = signingKeys((secret) => Buffer.from(secret));

function verify({ rawBody, headers, secrets, now }: SignedRequest): boolean {
  const header = singleHeader(headers, 'stripe-signature');
  if (header === undefined) return false;
  // One element is the timestamp, and one is kept for the signature of a scheme that Stripe sends in test mode.
  const elements = header.split(',', maxSignatures + 3);
  if (elements.length > maxSignatures + 2) return false;
  const times = elements.filter((element) => element.startsWith('t='));
  const sentAt = times[0]?.slice(2);
  if (times.length !== 1 || sentAt === undefined || !isWithinTolerance(sentAt, now)) return false;

  const candidates = elements.filter((element) => element.startsWith('v1=')).map((element) => element.slice(3));
  const expected = keysOf(secrets).map((key) =>
    createHmac('sha256', key).update(`${sentAt}.`).update(rawBody).digest('hex'),
  );
  return candidates.length <= maxSignatures && anySignatureMatches(candidates, expected);
}

function checkSecret(secret: string): string | undefined {
  return /^whsec_[\x21-\x7e]{8,}$/.test(secret) ? undefined : 'must be whsec_ and at least 8 printable characters';
}

/** Where Stripe's amounts deviate from ISO 4217: https://docs.stripe.com/currencies#special-cases */
const exponents = { ISK: 2, UGX: 2, MGA: 0 };

/** What every event has; what single types need besides is parsed where they are mapped. */
export const eventBody = z.object({
  id: providerEventId,
  object: z.literal('event'),
  type: z.string().regex(/^[a-z0-9_.]{1,100}$/, 'must be the type of a Stripe event'),
  created: unixTime,
  data: z.object({ object: z.unknown() }).meta({ required: ['object'] }),
});
type Event = z.input<typeof eventBody>;

function mapEvent(input: unknown): ContractEvent[] {
  const body = eventBody.parse(input);
  const { type } = body;
  const identified = { providerEventId: body.id, fingerprint: fingerprint(input as Event) };
  if (chargeTypes.has(type))
    return [{ ...identified, ...mapCharge(type, body.data.object), providerUpdatedAt: body.created }];
  if (type === 'payment_intent.canceled')
    return [{ ...identified, ...mapCanceledIntent(type, body.data.object), providerUpdatedAt: body.created }];
  if (disputeTypes.has(type))
    return [{ ...identified, ...mapDispute(type, body.data.object), providerUpdatedAt: body.created }];
  return [{ ...identified, target: 'none', type }];
}

/** Stripe repeats a delivery with other values in `pending_webhooks` and `request`, so that only these parts count. */
function fingerprint({ id, type, created, data }: Event): string {
  return JSON.stringify([id, type, created, data]);
}

const upperCaseCurrency = z
  .string()
  .transform((code) => code.toUpperCase())
  .pipe(currency);

/** An id, or the whole object where the account asked Stripe to expand it. */
const reference = z
  .union([z.string().min(1), z.looseObject({ id: z.string().min(1) }).transform(({ id }) => id)])
  .nullish();

const chargeTypes = new Set([
  'charge.pending',
  'charge.succeeded',
  'charge.failed',
  'charge.updated',
  'charge.captured',
]);

/** What Stripe says in the same way of a charge and of the intent that it belongs to. */
const payment = z.object({
  id: z.string().min(1),
  amount: amountMinor,
  currency: upperCaseCurrency,
  customer: reference,
  metadata: freeFormObject.nullish(),
});
const paymentIntent = payment.extend({ object: z.literal('payment_intent') });
const charge = payment.extend({
  object: z.literal('charge'),
  status: z.enum(['pending', 'succeeded', 'failed']),
  captured: z.boolean().optional(),
  payment_intent: reference,
});

function mapCharge(
  type: string,
  input: unknown,
): Omit<OrderWebhook, 'providerEventId' | 'fingerprint' | 'providerUpdatedAt'> {
  const body = parseObject(charge, input);
  const order = text(body.metadata?.order_id) ?? body.payment_intent ?? undefined;
  return {
    ...mapPayment(order ?? body.id, body),
    status: orderStatus(type, body, order !== undefined),
    meta: { ...body.metadata, charge_id: body.id, type },
  };
}

/**
 * A charge that succeeded without being captured holds the money only: the order is not paid before the capture. Where
 * the order is more than this one charge, a failed one is an attempt, after which the customer may try another card:
 * the intent is over when it is canceled.
 */
function orderStatus(type: string, body: z.infer<typeof charge>, isAttempt: boolean): OrderStatus {
  if (body.status === 'failed') return isAttempt ? 'updated' : 'failed';
  if (body.status === 'succeeded' && body.captured !== false) return 'success';
  return type === 'charge.pending' ? 'created' : 'updated';
}

function mapCanceledIntent(
  type: string,
  input: unknown,
): Omit<OrderWebhook, 'providerEventId' | 'fingerprint' | 'providerUpdatedAt'> {
  const body = parseObject(paymentIntent, input);
  const order = text(body.metadata?.order_id) ?? body.id;
  return { ...mapPayment(order, body), status: 'failed', meta: { ...body.metadata, type } };
}

function mapPayment(
  order: string,
  body: z.infer<typeof payment>,
): Pick<OrderWebhook, 'target' | 'orderId' | 'userId' | 'introduces' | 'amountMinor' | 'currency'> {
  const user = text(body.metadata?.user_id) ?? body.customer;
  return {
    target: 'order',
    orderId: toIdentifier('stripe:', order),
    // All charges of one order share this user, also when each attempt has a charge of its own.
    userId: user ? toIdentifier('stripe:', user) : derivedIdentifier('stripe:', order),
    introduces: true,
    amountMinor: isoAmount(body),
    currency: body.currency,
  };
}

const disputeTypes = new Set(['charge.dispute.created', 'charge.dispute.updated', 'charge.dispute.closed']);

/** Stripe says 0 where the bank takes no answer. */
const dueBy = z.preprocess((given) => (given === 0 ? null : given), unixTime.nullable());

const dispute = z.object({
  object: z.literal('dispute'),
  id: z.string().min(1),
  status: z.string(),
  reason: disputeReason,
  amount: amountMinor,
  currency: upperCaseCurrency,
  charge: reference,
  payment_intent: reference,
  evidence_details: z.object({ due_by: dueBy.nullish() }).nullish(),
  metadata: freeFormObject.nullish(),
});

function mapDispute(
  type: string,
  input: unknown,
): Omit<DisputeWebhook, 'providerEventId' | 'fingerprint' | 'providerUpdatedAt'> {
  const body = parseObject(dispute, input);
  // Stripe does not copy the charge's metadata: a merchant who names orders there has to name them on the dispute too.
  const order = text(body.metadata?.order_id) ?? body.payment_intent ?? body.charge;
  if (!order) throw missing('payment_intent');
  const user = text(body.metadata?.user_id);
  return {
    target: 'dispute',
    disputeId: toIdentifier('stripe:', body.id),
    orderId: toIdentifier('stripe:', order),
    userId: user ? toIdentifier('stripe:', user) : null,
    ...disputeState(type, body.status),
    reason: body.reason,
    amountMinor: isoAmount(body),
    currency: body.currency,
    evidenceDueAt: body.evidence_details?.due_by ?? null,
    meta: { ...body.metadata, dispute_status: body.status, type },
  };
}

/** https://docs.stripe.com/api/disputes/object#dispute_object-status */
function disputeState(type: string, status: string): { kind: DisputeWebhook['kind']; status: DisputeStatus } {
  if (type === 'charge.dispute.closed') {
    return { kind: 'provider_decision', status: status === 'won' || status === 'lost' ? status : 'closed' };
  }
  const underReview = status === 'under_review' || status === 'warning_under_review';
  return {
    kind: type === 'charge.dispute.created' ? 'webhook_opened' : 'webhook_updated',
    status: underReview ? 'under_review' : 'open',
  };
}

function isoAmount(body: { amount: bigint; currency: string }): bigint {
  const amount = toIsoMinorUnits(body.amount, body.currency, exponents);
  if (amount === undefined) throw fieldError('amount', 'must be a whole number of the currency’s minor units');
  return amount;
}

/** Parses the event's object; errors carry the path from the top of the body, so that the sender finds the field. */
function parseObject<T extends z.ZodType>(schema: T, input: unknown): z.output<T> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new z.ZodError(result.error.issues.map((issue) => ({ ...issue, path: ['data', 'object', ...issue.path] })));
}

function missing(field: string): z.ZodError {
  return fieldError(field, 'is required');
}

function fieldError(field: string, message: string): z.ZodError {
  return new z.ZodError([{ code: 'custom', path: ['data', 'object', field], message, input: undefined }]);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
