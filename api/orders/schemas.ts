import { z } from 'zod';
import { amountMinor, currency, identifier } from '../../kernel/contract/fields.ts';
import { attemptStates, operationStates } from '../../kernel/contract/payment.ts';
import { holdReasons, orderEventKinds, orderStatuses } from '../../kernel/contract/status.ts';
import { pageCursor, pageLimit } from '../../kernel/http/page.ts';
import { amountOutput, timeOutput } from '../openapi/describe.ts';
import { paymentStates } from './shown.ts';

export const orderParams = z.object({ id: identifier });

export const listOrdersQuery = z.strictObject({
  status: z.enum(orderStatuses).optional(),
  user_id: identifier.optional(),
  sort: z.enum(['created_at', '-created_at']).default('-created_at'),
  limit: pageLimit(200, 50),
  cursor: pageCursor,
});
export type ListOrdersQuery = z.output<typeof listOrdersQuery>;

export const orderEventsQuery = z.strictObject({ limit: pageLimit(1_000, 100), cursor: pageCursor });

export const holdBody = z
  .strictObject({ action: z.enum(['set', 'clear']), reason: z.enum(holdReasons).optional() })
  .refine((body) => body.action === 'clear' || body.reason !== undefined, {
    path: ['reason'],
    message: `must be one of ${holdReasons.join(', ')} when a hold is set`,
  })
  .meta({
    description: 'A reason is required where the hold is set.',
    if: { properties: { action: { const: 'set' } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    then: { required: ['action', 'reason'] },
  });
export type HoldBody = z.output<typeof holdBody>;

export const captureBody = z.strictObject({
  amount_minor: amountMinor,
  currency,
  idempotency_key: z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters without spaces')
    .meta({ description: 'Chosen by the caller; unique per order. A repetition gets the outcome of the first.' }),
});
export type CaptureBody = z.output<typeof captureBody>;

export const order = z
  .object({
    order_id: z.string(),
    user_id: z.string().meta({ description: 'Of an order whose user is not known yet: guest: and the order’s id.' }),
    status: z.enum(orderStatuses),
    amount_minor: amountOutput.nullable(),
    currency: z.string().nullable(),
    payment_state: z.enum(paymentStates).meta({ description: 'How far the money of the order has come.' }),
    authorised_minor: amountOutput.meta({ description: 'What is held or was taken of it, by attempts that count.' }),
    captured_minor: amountOutput,
    refunded_minor: amountOutput,
    on_hold: z.boolean(),
    hold_reason: z.enum(holdReasons).nullable(),
    sequence: z.int().meta({ description: 'Number of the newest event.' }),
    provider: z.string(),
    provider_updated_at: timeOutput,
    created_at: timeOutput,
    updated_at: timeOutput,
  })
  .meta({ id: 'Order' });

const operation = z.object({
  kind: z.enum(['capture', 'refund']),
  reference: z.string(),
  state: z.enum(operationStates),
  amount_minor: amountOutput.nullable(),
  at: timeOutput,
});

/** One order with the attempts to pay it. */
export const orderWithAttempts = order
  .extend({
    attempts: z.array(
      z.object({
        reference: z.string().meta({ description: 'The provider’s; empty where it names none.' }),
        state: z.enum(attemptStates).nullable(),
        amount_minor: amountOutput.nullable(),
        currency: z.string().nullable(),
        operations: z.array(operation),
        at: timeOutput,
      }),
    ),
  })
  .meta({ id: 'OrderWithAttempts' });

export const orderEvent = z
  .object({
    event_id: z.uuid(),
    order_id: z.string(),
    user_id: z.string(),
    sequence: z.int(),
    kind: z.enum(orderEventKinds),
    provider: z.string().nullable(),
    provider_event_id: z.string().nullable(),
    data: z.record(z.string(), z.unknown()),
    created_at: timeOutput,
  })
  .meta({ id: 'OrderEvent' });

export const capture = z
  .object({
    capture_id: z.uuid(),
    order_id: z.string(),
    amount_minor: amountOutput,
    currency: z.string(),
    status: z.enum(['completed', 'failed']),
    provider_reference: z.string().nullable(),
    failure_reason: z.string().nullable(),
    created_at: timeOutput,
    updated_at: timeOutput,
  })
  .meta({ id: 'Capture' });
