import { z } from 'zod';
import { ContractError, parseMessage, shown } from './contract-error.ts';
import { disputeStatuses, orderStatuses } from './status.ts';
import type { ContractEvent, ReceivedWebhook } from './webhooks.ts';

const receivedVersion = 1;

const types = { order: 'webhook.order', dispute: 'webhook.dispute', none: 'webhook.unmapped' } as const;

const amount = z
  .string()
  .regex(/^[0-9]{1,19}$/, 'must be digits only')
  .meta({ description: 'Minor units as digits, so that no reader passes them through floating point.' });
const date = z.iso.datetime();
const text = z.string().min(1);
const meta = z.record(z.string(), z.unknown());
const identified = { provider_event_id: text, fingerprint: z.string().nullable() };

const orderEvent = z.strictObject({
  ...identified,
  order_id: text,
  user_id: text,
  status: z.enum(orderStatuses),
  introduces: z.boolean(),
  amount_minor: amount.nullable(),
  currency: z.string().nullable(),
  provider_updated_at: date,
  meta,
});

const disputeEvent = z.strictObject({
  ...identified,
  dispute_id: text,
  order_id: text,
  user_id: text.nullable(),
  kind: z.enum(['webhook_opened', 'webhook_updated', 'provider_decision']),
  status: z.enum(disputeStatuses),
  reason: z.string(),
  amount_minor: amount,
  currency: z.string(),
  provider_updated_at: date,
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
  const given = parseMessage(message);
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
  };
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
        amount_minor: event.amountMinor === null ? null : event.amountMinor.toString(),
        currency: event.currency,
        provider_updated_at: event.providerUpdatedAt.toISOString(),
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
      amountMinor: order.amount_minor === null ? null : BigInt(order.amount_minor),
      currency: order.currency,
      providerUpdatedAt: new Date(order.provider_updated_at),
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
    providerUpdatedAt: new Date(dispute.provider_updated_at),
    evidenceDueAt: dispute.evidence_due_at === null ? null : new Date(dispute.evidence_due_at),
    meta: dispute.meta,
  };
}
