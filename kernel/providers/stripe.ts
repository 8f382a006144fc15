import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { amountMinor, currency, providerEventId, unixTime } from '../contract/fields.ts';
import { toIdentifier } from '../contract/identifiers.ts';
import { type OperationReport, type PaymentReport, unsaid } from '../contract/payment.ts';
import type { DisputeStatus, OrderStatus } from '../contract/status.ts';
import { attemptReference, type ContractEvent, type DisputeWebhook, type OrderWebhook } from '../contract/webhooks.ts';
import { toIsoMinorUnits } from './amounts.ts';
import { disputeReason, freeFormObject } from './free-form.ts';
import type { Provider, SignedRequest } from './provider.ts';
import { anySignatureMatches, isWithinTolerance, maxSignatures, singleHeader } from './signature.ts';
import { signingKeys } from './signing-keys.ts';

// Longer than 300 lines because a provider is one file.

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

function mapEvent(input: unknown): ContractEvent[] {
  const { type: named } = (input ?? {}) as { type?: unknown };
  const map = typeof named === 'string' && Object.hasOwn(mappers, named) ? mappers[named] : undefined;
  if (!map) {
    const { id, type } = anyEvent.parse(input);
    return [{ providerEventId: id, fingerprint: fingerprint(input as Event), target: 'none', type }];
  }
  const { id, type, data, created } = mappedEvent.parse(input);
  const identified = { providerEventId: id, fingerprint: fingerprint(input as Event) };
  return [{ ...identified, ...map(type, data.object), providerUpdatedAt: created }];
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

type MappedOrder = Omit<OrderWebhook, 'providerEventId' | 'fingerprint' | 'providerUpdatedAt'>;
type MappedDispute = Omit<DisputeWebhook, 'providerEventId' | 'fingerprint' | 'providerUpdatedAt'>;

/** https://docs.stripe.com/api/events/types */
const mappers: Readonly<Record<string, (type: string, object: unknown) => MappedOrder | MappedDispute>> = {
  'charge.pending': mapCharge,
  'charge.succeeded': mapCharge,
  'charge.failed': mapCharge,
  'charge.updated': mapCharge,
  'charge.captured': mapCharge,
  'charge.expired': mapCharge,
  'charge.refunded': mapCharge,
  'payment_intent.canceled': mapCanceledIntent,
  'charge.refund.updated': mapRefund,
  'refund.created': mapRefund,
  'refund.updated': mapRefund,
  'refund.failed': mapRefund,
  'charge.dispute.created': mapDispute,
  'charge.dispute.updated': mapDispute,
  'charge.dispute.closed': mapDispute,
  'charge.dispute.funds_withdrawn': mapDispute,
  'charge.dispute.funds_reinstated': mapDispute,
};

const mappedTypes = Object.keys(mappers);

/** What every event with an effect has; what single types need besides is parsed where they are mapped. */
const mappedEvent = z.object({
  id: providerEventId,
  object: z.literal('event'),
  type: z.enum(mappedTypes),
  created: unixTime,
  data: z.object({ object: z.unknown() }).meta({ required: ['object'] }),
});
type Event = z.input<typeof mappedEvent>;

/** What any other event has: thin events (https://docs.stripe.com/event-destinations) have no `data`. */
const anyEvent = z.object({ id: providerEventId, type: z.string().min(1).max(200) });

/** What documents say of an event. */
export const eventBody = z.union([
  mappedEvent,
  anyEvent.extend({
    type: z
      .string()
      .min(1)
      .max(200)
      .meta({ not: { enum: mappedTypes } }),
  }),
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

/** An amount that may be nothing. */
const sumMinor = z.union([z.literal(0).transform(() => 0n), amountMinor]).nullish();

const refund = z.object({
  object: z.literal('refund'),
  id: z.string().min(1),
  amount: amountMinor,
  currency: upperCaseCurrency,
  status: z.string().nullish(),
  charge: reference,
  payment_intent: reference,
  metadata: freeFormObject.nullish(),
});

const charge = payment.extend({
  object: z.literal('charge'),
  status: z.enum(['pending', 'succeeded', 'failed']),
  captured: z.boolean().optional(),
  amount_captured: sumMinor,
  amount_refunded: sumMinor,
  refunds: z.object({ data: z.array(refund) }).nullish(),
  payment_intent: reference,
});
type Charge = z.infer<typeof charge>;

function mapCharge(type: string, input: unknown): MappedOrder {
  const body = parseObject(charge, input);
  const order = text(body.metadata?.order_id) ?? body.payment_intent ?? undefined;
  return {
    ...mapPayment(order ?? body.id, body),
    attemptReference: attemptReference('stripe', body.id),
    status: orderStatus(type, body, order !== undefined),
    payment: {
      ...unsaid,
      attempt: body.id,
      // Refunds and disputes name the charge and its intent, and do not repeat the charge's metadata.
      namesAttempt: true,
      state: isVoided(type, body) ? 'canceled' : attemptState(body),
      amountMinor: isoAmount(body),
      currency: body.currency,
      ...capturedOf(body),
      refundedMinor: isVoided(type, body) ? null : isoSum(body.amount_refunded, body, 'amount_refunded'),
      operations: (body.refunds?.data ?? []).map(refundReport),
      closes: body.status === 'failed' && order === undefined,
    },
    meta: { ...body.metadata, charge_id: body.id, type },
  };
}

/**
 * An authorisation that was not captured in time expires, and one that the merchant gives back is told of as refunded,
 * although nothing was taken.
 */
function isVoided(type: string, { captured, status, amount_refunded: refunded }: Charge): boolean {
  return type === 'charge.expired' || (status === 'succeeded' && captured === false && (refunded ?? 0n) > 0n);
}

/** Whether the money of the charge is held. */
function attemptState({ status }: Charge): PaymentReport['state'] {
  if (status === 'pending') return 'pending';
  return status === 'failed' ? 'declined' : 'authorised';
}

/** A charge is captured once, perhaps for less than was authorised; the rest is released. */
function capturedOf(body: Charge): Pick<PaymentReport, 'capturedMinor' | 'isFullyCaptured'> {
  if (body.status !== 'succeeded' || body.captured === false) return { capturedMinor: null, isFullyCaptured: false };
  const captured = isoSum(body.amount_captured, body, 'amount_captured');
  return { capturedMinor: captured ?? isoAmount(body), isFullyCaptured: true };
}

/**
 * A charge that succeeded without being captured holds the money only: the order is not paid before the capture. Where
 * the order is more than this one charge, a failed one is an attempt, after which the customer may try another card:
 * the intent is over when it is canceled.
 */
function orderStatus(type: string, body: Charge, isAttempt: boolean): OrderStatus {
  if (body.status === 'failed') return isAttempt ? 'updated' : 'failed';
  if (body.status === 'succeeded' && body.captured !== false) return 'success';
  return type === 'charge.pending' ? 'created' : 'updated';
}

function mapCanceledIntent(type: string, input: unknown): MappedOrder {
  const body = parseObject(paymentIntent, input);
  const order = text(body.metadata?.order_id) ?? body.id;
  return {
    ...mapPayment(order, body),
    attemptReference: null,
    status: 'failed',
    payment: { ...unsaid, closes: true },
    meta: { ...body.metadata, type },
  };
}

/** https://docs.stripe.com/api/refunds/object#refund_object-status */
function mapRefund(type: string, input: unknown): MappedOrder {
  const body = parseObject(refund, input);
  const order = text(body.metadata?.order_id) ?? body.payment_intent ?? body.charge;
  if (!order) throw missing('charge');
  return {
    target: 'order',
    orderId: toIdentifier('stripe:', order),
    userId: null,
    introduces: false,
    amountMinor: isoAmount(body),
    currency: body.currency,
    attemptReference: body.charge ? attemptReference('stripe', body.charge) : null,
    status: 'updated',
    payment: {
      ...unsaid,
      attempt: body.charge ?? null,
      currency: body.currency,
      operations: [refundReport(body)],
    },
    meta: { ...body.metadata, refund_id: body.id, type },
  };
}

function refundReport(body: z.infer<typeof refund>): OperationReport {
  return { kind: 'refund', reference: body.id, state: refundState(body.status), amountMinor: isoAmount(body) };
}

function refundState(status: string | null | undefined): OperationReport['state'] {
  if (status === 'failed' || status === 'canceled') return 'failed';
  // Refunds made before Stripe gave them a status have succeeded.
  return status === 'succeeded' || status == null ? 'succeeded' : 'pending';
}

function mapPayment(
  order: string,
  body: z.infer<typeof payment>,
): Pick<OrderWebhook, 'target' | 'orderId' | 'userId' | 'introduces' | 'amountMinor' | 'currency'> {
  const user = text(body.metadata?.user_id) ?? body.customer;
  return {
    target: 'order',
    orderId: toIdentifier('stripe:', order),
    // Stripe's customers and the merchant's users are different names: the merchant's goes first.
    userId: user ? toIdentifier('stripe:', user) : null,
    introduces: true,
    amountMinor: isoAmount(body),
    currency: body.currency,
  };
}

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

function mapDispute(type: string, input: unknown): MappedDispute {
  const body = parseObject(dispute, input);
  const order = text(body.metadata?.order_id) ?? body.payment_intent ?? body.charge;
  if (!order) throw missing('payment_intent');
  const user = text(body.metadata?.user_id);
  return {
    target: 'dispute',
    disputeId: toIdentifier('stripe:', body.id),
    orderId: toIdentifier('stripe:', order),
    userId: user ? toIdentifier('stripe:', user) : null,
    attemptReference: body.charge ? attemptReference('stripe', body.charge) : null,
    ...disputeState(type, body.status),
    funds: fundsOf(type),
    overrules: false,
    reason: body.reason,
    amountMinor: isoAmount(body),
    currency: body.currency,
    evidenceDueAt: body.evidence_details?.due_by ?? null,
    meta: { ...body.metadata, dispute_status: body.status, type },
  };
}

/** https://docs.stripe.com/api/disputes/object#dispute_object-status: each event carries the dispute as it then is. */
function disputeState(type: string, status: string): { kind: DisputeWebhook['kind']; status: DisputeStatus } {
  if (status === 'won' || status === 'lost') return { kind: 'provider_decision', status };
  if (type === 'charge.dispute.closed' || status === 'warning_closed' || status === 'prevented') {
    return { kind: 'provider_decision', status: 'closed' };
  }
  const underReview = status === 'under_review' || status === 'warning_under_review';
  return {
    kind: type === 'charge.dispute.created' ? 'webhook_opened' : 'webhook_updated',
    status: underReview ? 'under_review' : 'open',
  };
}

/** Stripe takes the disputed money when the dispute is opened, and gives it back after it was won. */
function fundsOf(type: string): DisputeWebhook['funds'] {
  if (type === 'charge.dispute.funds_withdrawn') return 'withdrawn';
  return type === 'charge.dispute.funds_reinstated' ? 'reinstated' : null;
}

function isoAmount(body: { amount: bigint; currency: string }): bigint {
  return inIsoUnits(body.amount, body.currency, 'amount');
}

function isoSum(sum: bigint | null | undefined, { currency }: { currency: string }, field: string): bigint | null {
  return sum == null ? null : inIsoUnits(sum, currency, field);
}

function inIsoUnits(minor: bigint, currency: string, field: string): bigint {
  const amount = toIsoMinorUnits(minor, currency, exponents);
  if (amount === undefined) throw fieldError(field, 'must be below 2^63 of the currency’s minor units');
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
