import { z } from 'zod';
import { amountMinor, currency, identifier, providerEventId, timestamp } from '../contract/fields.ts';
import { derivedIdentifier } from '../contract/identifiers.ts';
import { type DisputeStatus, orderStatuses } from '../contract/status.ts';
import type { DisputeWebhook, OrderWebhook } from '../contract/webhooks.ts';
import { disputeReason, freeFormObject } from './free-form.ts';
import type { Provider } from './provider.ts';
import { secretPrefix, verifyStandardWebhook } from './standard-webhooks.ts';

/** The native provider. It signs by the Standard Webhooks scheme. */
export const silvergate: Provider = {
  name: 'silvergate',
  paths: {
    'payments/orders': (body) => [mapOrder(body)],
    'payments/chargebacks': (body) => [mapChargeback(body)],
  },
  verify: verifyStandardWebhook,
  checkSecret,
};

function checkSecret(secret: string): string | undefined {
  if (!secret.startsWith(secretPrefix)) return `must begin with ${secretPrefix}`;
  const text = secret.slice(secretPrefix.length);
  const key = Buffer.from(text, 'base64');
  if (key.toString('base64') !== text) return `must be ${secretPrefix} and base64`;
  // The bounds are the scheme's.
  return key.length >= 24 && key.length <= 64 ? undefined : 'must encode 24 to 64 bytes';
}

const maxMetaCharacters = 8_192;
const boundedObject = freeFormObject
  .refine(
    (meta) => JSON.stringify(meta).length <= maxMetaCharacters,
    `must be at most ${maxMetaCharacters} characters of JSON`,
  )
  .meta({ description: `At most ${maxMetaCharacters} characters of JSON.` });

export const orderBody = z
  .strictObject({
    provider_event_id: providerEventId,
    order_id: identifier,
    user_id: identifier,
    status: z.enum(orderStatuses),
    amount_minor: amountMinor.optional(),
    currency: currency.optional(),
    created_at: timestamp,
    updated_at: timestamp,
    meta: boundedObject.optional(),
  })
  .superRefine((body, context) => {
    const missing = body.amount_minor === undefined ? 'amount_minor' : 'currency';
    if ((body.amount_minor === undefined) !== (body.currency === undefined)) {
      context.addIssue({ code: 'custom', path: [missing], message: 'amount_minor and currency belong together' });
    }
    if (body.updated_at < body.created_at) {
      context.addIssue({ code: 'custom', path: ['updated_at'], message: 'must not be before created_at' });
    }
  })
  .meta({
    description: 'updated_at must not be before created_at.',
    dependentRequired: { amount_minor: ['currency'], currency: ['amount_minor'] },
  });

function mapOrder(input: unknown): OrderWebhook {
  const body = orderBody.parse(input);
  return {
    target: 'order',
    providerEventId: body.provider_event_id,
    fingerprint: null,
    orderId: body.order_id,
    userId: body.user_id,
    status: body.status,
    introduces: body.status === 'created',
    amountMinor: body.amount_minor ?? null,
    currency: body.currency ?? null,
    attemptReference: null,
    providerUpdatedAt: body.updated_at,
    payment: null,
    meta: body.meta ?? {},
  };
}

const outcomes = ['won', 'lost', 'canceled', 'closed'] as const;

export const chargebackBody = z
  .strictObject({
    provider_event_id: providerEventId,
    dispute_id: identifier.optional(),
    order_id: identifier,
    user_id: identifier,
    status: z.enum(['opened', 'updated', 'closed']),
    reason: disputeReason,
    amount_minor: amountMinor,
    currency,
    occurred_at: timestamp,
    evidence_due_at: timestamp.optional(),
    meta: boundedObject.optional(),
  })
  .superRefine((body, context) => {
    const outcome = body.meta?.outcome;
    if (body.status === 'closed' && outcome !== undefined && !isOutcome(outcome)) {
      context.addIssue({
        code: 'custom',
        path: ['meta', 'outcome'],
        message: `must be one of ${outcomes.join(', ')} when the chargeback is closed`,
      });
    }
  })
  .meta({
    description: `meta.outcome of a closed chargeback must be one of ${outcomes.join(', ')}.`,
    if: { properties: { status: { const: 'closed' } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    then: { properties: { meta: { properties: { outcome: { enum: [...outcomes] } } } } },
  });

function mapChargeback(input: unknown): DisputeWebhook {
  const body = chargebackBody.parse(input);
  return {
    target: 'dispute',
    providerEventId: body.provider_event_id,
    fingerprint: null,
    disputeId: body.dispute_id ?? derivedIdentifier('dp_', body.order_id),
    orderId: body.order_id,
    userId: body.user_id,
    ...disputeState(body.status, body.meta?.outcome),
    reason: body.reason,
    amountMinor: body.amount_minor,
    currency: body.currency,
    attemptReference: null,
    providerUpdatedAt: body.occurred_at,
    funds: null,
    overrules: false,
    evidenceDueAt: body.evidence_due_at ?? null,
    meta: body.meta ?? {},
  };
}

function disputeState(
  status: 'opened' | 'updated' | 'closed',
  outcome: unknown,
): { kind: DisputeWebhook['kind']; status: DisputeStatus } {
  if (status === 'opened') return { kind: 'webhook_opened', status: 'open' };
  if (status === 'updated') return { kind: 'webhook_updated', status: 'under_review' };
  return { kind: 'provider_decision', status: isOutcome(outcome) ? outcome : 'closed' };
}

function isOutcome(value: unknown): value is (typeof outcomes)[number] {
  return (outcomes as readonly unknown[]).includes(value);
}
