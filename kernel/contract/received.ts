import { z } from 'zod';
import { ContractError, parseMessage, shown } from './contract-error.ts';
import { fromDigits, toDigits } from './digits.ts';
import { attemptStates, operationStates, type PaymentReport } from './payment.ts';
import { disputeStatuses, orderStatuses } from './status.ts';
import type { ContractEvent, ReceivedWebhook } from './webhooks.ts';

const receivedVersion = 2;

const types = { order: 'webhook.order', dispute: 'webhook.dispute', none: 'webhook.unmapped' } as const;

const amount = z
  .string()
  .regex(/^[0-9]{1,19}$/, 'must be digits only')
  .meta({ description: 'Minor units as digits, so that no reader passes them through floating point.' });
const date = z.iso.datetime();
const text = z.string().min(1);
const meta = z.record(z.string(), z.unknown());
const identified = { provider_event_id: text, fingerprint: z.string().nullable() };

const payment = z.strictObject({
  attempt: text.nullable(),
  names_attempt: z.boolean(),
  state: z.enum(attemptStates).nullable(),
  amount_minor: amount.nullable(),
  currency: z.string().nullable(),
  captured_minor: amount.nullable(),
  is_fully_captured: z.boolean(),
  refunded_minor: amount.nullable(),
  operations: z.array(
    z.strictObject({
      kind: z.enum(['capture', 'refund']),
      reference: text,
      state: z.enum(operationStates),
      amount_minor: amount.nullable(),
    }),
  ),
  closes: z.boolean(),
});

const orderEvent = z.strictObject({
  ...identified,
  order_id: text,
  user_id: text.nullable(),
  attempt_reference: text.nullable(),
  status: z.enum(orderStatuses),
  introduces: z.boolean(),
  amount_minor: amount.nullable(),
  currency: z.string().nullable(),
  provider_updated_at: date,
  payment: payment.nullable(),
  meta,
});

const disputeEvent = z.strictObject({
  ...identified,
  dispute_id: text,
  order_id: text,
  user_id: text.nullable(),
  attempt_reference: text.nullable(),
  kind: z.enum(['webhook_opened', 'webhook_updated', 'provider_decision']),
  status: z.enum(disputeStatuses),
  reason: z.string(),
  amount_minor: amount,
  currency: z.string(),
  provider_updated_at: date,
  funds: z.enum(['withdrawn', 'reinstated']).nullable(),
  overrules: z.boolean(),
  evidence_due_at: date.nullable(),
  meta,
});

const carried = {
  version: z.literal(receivedVersion),
  provider: text,
  body_sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits'),
  body: z.string(),
  received_at: date,
  request_id: z.string(),
};

/** The value of a message on `webhooks.orders` and `webhooks.disputes`: a verified and mapped webhook. */
export const receivedMessage = z
  .discriminatedUnion('type', [
    z.strictObject({ ...carried, type: z.literal(types.order), event: orderEvent }),
    z.strictObject({ ...carried, type: z.literal(types.dispute), event: disputeEvent }),
    z.strictObject({
      ...carried,
      type: z.literal(types.none),
      event: z.strictObject({ ...identified, provider_type: z.string() }),
    }),
  ])
  .meta({ title: 'Received webhook of the payments scaling lab' });

type ReceivedMessage = z.infer<typeof receivedMessage>;

/** JSON text that `parseReceived` turns back into an equal webhook. */
export function serializeReceived(webhook: ReceivedWebhook): string {
  const message: ReceivedMessage = {
    version: receivedVersion,
    provider: webhook.provider,
    body_sha256: webhook.bodySha256,
    body: webhook.body,
    received_at: webhook.receivedAt.toISOString(),
    request_id: webhook.requestId,
    ...writeEvent(webhook.event),
  };
  return JSON.stringify(message);
}

/** @throws ContractError malformed_json, wrong_version, unknown_type or invalid; none of them is worth a retry. */
export function parseReceived(message: string): ReceivedWebhook {
  const given = fromVersion1(parseMessage(message));
  if (given.version !== receivedVersion) {
    throw new ContractError('wrong_version', `version is ${shown(given.version)}; known is ${receivedVersion}.`);
  }
  const known: readonly unknown[] = Object.values(types);
  if (!known.includes(given.type)) {
    throw new ContractError('unknown_type', `type is ${shown(given.type)}; known are ${known.join(', ')}.`);
  }
  const result = receivedMessage.safeParse(given);
  if (!result.success) throw new ContractError('invalid', z.prettifyError(result.error));
  const { data } = result;
  return {
    provider: data.provider,
    event: readEvent(data),
    bodySha256: data.body_sha256,
    body: data.body,
    receivedAt: new Date(data.received_at),
    requestId: data.request_id,
    isReleased: false,
  };
}

/** What a gateway of the former version has left in the topic: it did not say what follows here. */
function fromVersion1(given: Record<string, unknown>): Record<string, unknown> {
  if (given.version !== 1 || typeof given.event !== 'object' || given.type === types.none) {
    return given.version === 1 ? { ...given, version: receivedVersion } : given;
  }
  const added =
    given.type === types.order
      ? { attempt_reference: null, payment: null }
      : { attempt_reference: null, funds: null, overrules: false };
  return { ...given, version: receivedVersion, event: { ...given.event, ...added } };
}

function writeEvent(event: ContractEvent) {
  const common = { provider_event_id: event.providerEventId, fingerprint: event.fingerprint };
  if (event.target === 'none') return { type: types.none, event: { ...common, provider_type: event.type } };
  if (event.target === 'order') {
    return {
      type: types.order,
      event: {
        ...common,
        order_id: event.orderId,
        user_id: event.userId,
        status: event.status,
        introduces: event.introduces,
        attempt_reference: event.attemptReference,
        amount_minor: toDigits(event.amountMinor),
        currency: event.currency,
        provider_updated_at: event.providerUpdatedAt.toISOString(),
        payment: event.payment && writePayment(event.payment),
        meta: event.meta,
      },
    };
  }
  return {
    type: types.dispute,
    event: {
      ...common,
      dispute_id: event.disputeId,
      order_id: event.orderId,
      user_id: event.userId,
      kind: event.kind,
      status: event.status,
      reason: event.reason,
      amount_minor: event.amountMinor.toString(),
      currency: event.currency,
      provider_updated_at: event.providerUpdatedAt.toISOString(),
      attempt_reference: event.attemptReference,
      funds: event.funds,
      overrules: event.overrules,
      evidence_due_at: event.evidenceDueAt?.toISOString() ?? null,
      meta: event.meta,
    },
  };
}

function readEvent(message: ReceivedMessage): ContractEvent {
  const { event } = message;
  const common = { providerEventId: event.provider_event_id, fingerprint: event.fingerprint };
  if (message.type === types.none) return { ...common, target: 'none', type: message.event.provider_type };
  if (message.type === types.order) {
    const order = message.event;
    return {
      ...common,
      target: 'order',
      orderId: order.order_id,
      userId: order.user_id,
      status: order.status,
      introduces: order.introduces,
      attemptReference: order.attempt_reference,
      amountMinor: fromDigits(order.amount_minor),
      currency: order.currency,
      providerUpdatedAt: new Date(order.provider_updated_at),
      payment: order.payment && readPayment(order.payment),
      meta: order.meta,
    };
  }
  const dispute = message.event;
  return {
    ...common,
    target: 'dispute',
    disputeId: dispute.dispute_id,
    orderId: dispute.order_id,
    userId: dispute.user_id,
    kind: dispute.kind,
    status: dispute.status,
    reason: dispute.reason,
    amountMinor: BigInt(dispute.amount_minor),
    currency: dispute.currency,
    attemptReference: dispute.attempt_reference,
    providerUpdatedAt: new Date(dispute.provider_updated_at),
    funds: dispute.funds,
    overrules: dispute.overrules,
    evidenceDueAt: dispute.evidence_due_at === null ? null : new Date(dispute.evidence_due_at),
    meta: dispute.meta,
  };
}

function writePayment(report: PaymentReport): z.infer<typeof payment> {
  return {
    attempt: report.attempt,
    names_attempt: report.namesAttempt,
    state: report.state,
    amount_minor: toDigits(report.amountMinor),
    currency: report.currency,
    captured_minor: toDigits(report.capturedMinor),
    is_fully_captured: report.isFullyCaptured,
    refunded_minor: toDigits(report.refundedMinor),
    operations: report.operations.map(({ kind, reference, state, amountMinor }) => ({
      kind,
      reference,
      state,
      amount_minor: toDigits(amountMinor),
    })),
    closes: report.closes,
  };
}

function readPayment(written: z.infer<typeof payment>): PaymentReport {
  return {
    attempt: written.attempt,
    namesAttempt: written.names_attempt,
    state: written.state,
    amountMinor: fromDigits(written.amount_minor),
    currency: written.currency,
    capturedMinor: fromDigits(written.captured_minor),
    isFullyCaptured: written.is_fully_captured,
    refundedMinor: fromDigits(written.refunded_minor),
    operations: written.operations.map(({ kind, reference, state, amount_minor }) => ({
      kind,
      reference,
      state,
      amountMinor: fromDigits(amount_minor),
    })),
    closes: written.closes,
  };
}
