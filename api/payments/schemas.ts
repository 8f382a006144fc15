import { z } from 'zod';
import { amountMinor, controlCharacters, currency, identifier } from '../../kernel/contract/fields.ts';
import { paymentEventKinds, paymentProviders, paymentStatuses } from '../../kernel/contract/status.ts';
import { pageCursor, pageLimit } from '../../kernel/http/page.ts';
import { amountOutput, timeOutput } from '../openapi/describe.ts';

export const paymentParams = z.object({ id: z.uuid('must be a UUID') });

const text = z
  .string()
  .regex(new RegExp(`^[^${controlCharacters}]{1,140}$`, 'u'), 'must be 1 to 140 characters without control characters')
  .optional()
  .meta({ description: 'The caller’s own text.', pattern: `^[^${controlCharacters}]{1,140}$` });

export const paymentBody = z.strictObject({
  account_id: identifier.meta({ description: 'The account that pays.' }),
  amount_minor: amountMinor,
  currency: currency.meta({ description: 'That of the account.' }),
  provider: z.enum(paymentProviders).default('card'),
  failover: z
    .boolean()
    .default(true)
    .meta({ description: 'Whether the other provider may take its place while this one is away.' }),
  expires_in_seconds: z
    .int()
    .min(1)
    .max(604_800)
    .default(3_600)
    .meta({ description: 'How long the payer has to agree; afterwards the payment fails as expired.' }),
  reference: text,
});

export const refundBody = z.strictObject({
  amount_minor: amountMinor.optional().meta({ description: 'All that is left where it is left out.' }),
  reason: text,
});

/** Nothing has to be said. */
export const cancelBody = z.strictObject({});

export const listPaymentsQuery = z.strictObject({
  status: z.enum(paymentStatuses).optional(),
  user_id: identifier.optional(),
  account_id: identifier.optional(),
  limit: pageLimit(200, 50),
  cursor: pageCursor,
});
export type ListPaymentsQuery = z.output<typeof listPaymentsQuery>;

export const paymentEventsQuery = z.strictObject({ limit: pageLimit(1_000, 100), cursor: pageCursor });

const paymentFields = {
  payment_id: z.uuid(),
  user_id: z.string(),
  account_id: z.string(),
  amount_minor: amountOutput,
  currency: z.string(),
  provider: z.enum(paymentProviders).meta({ description: 'That charges the payer, or will.' }),
  requested_provider: z.enum(paymentProviders),
  failover: z.boolean(),
  status: z.enum(paymentStatuses),
  hold_id: z.uuid().meta({ description: 'Reserves the money until the payment is settled.' }),
  action_url: z.string().nullable().meta({ description: 'Where the payer has to agree, while the provider waits.' }),
  provider_reference: z.string().nullable(),
  failure_reason: z.string().nullable(),
  refunded_minor: amountOutput,
  refunding_minor: amountOutput.meta({ description: 'Of refunds whose outcome is not known yet.' }),
  reference: z.string().nullable(),
  sequence: z.int().meta({ description: 'Number of the newest event.' }),
  expires_at: timeOutput,
  created_at: timeOutput,
  updated_at: timeOutput,
};

export const payment = z.object(paymentFields).meta({ id: 'Payment' });

export const refund = z
  .object({
    refund_id: z.uuid(),
    payment_id: z.uuid(),
    amount_minor: amountOutput,
    currency: z.string(),
    status: z.enum(['pending', 'completed', 'failed']),
    provider_reference: z.string().nullable(),
    failure_reason: z.string().nullable(),
    reason: z.string().nullable(),
    created_at: timeOutput,
    updated_at: timeOutput,
  })
  .meta({ id: 'Refund' });

export const paymentWithRefunds = z
  .object({ ...paymentFields, refunds: z.array(refund) })
  .meta({ id: 'PaymentWithRefunds' });

export const paymentEvent = z
  .object({
    event_id: z.uuid(),
    payment_id: z.uuid(),
    sequence: z.int(),
    kind: z.enum(paymentEventKinds),
    data: z.record(z.string(), z.unknown()),
    created_at: timeOutput,
  })
  .meta({ id: 'PaymentEvent' });
