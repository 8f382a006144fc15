import { z } from 'zod';
import { amountMinor, controlCharacters, currency, identifier, timestamp } from '../../kernel/contract/fields.ts';
import { pageCursor, pageLimit } from '../../kernel/http/page.ts';
import { accountKinds, accountStatuses } from '../../ledger/rows.ts';
import { amountOutput, timeOutput } from '../openapi/describe.ts';

export const accountParams = z.object({ id: identifier });
export const uuidParams = z.object({ id: z.uuid('must be a UUID') });

const reference = z
  .string()
  .regex(new RegExp(`^[^${controlCharacters}]{1,140}$`, 'u'), 'must be 1 to 140 characters without control characters')
  .optional()
  .meta({ description: 'The caller’s own text.', pattern: `^[^${controlCharacters}]{1,140}$` });

export const openAccountBody = z.strictObject({
  currency,
  kind: z.enum(accountKinds).default('wallet').meta({ description: 'A customer opens wallet and merchant only.' }),
  user_id: identifier.optional().meta({ description: 'Whose it is; the caller’s own where it is left out.' }),
  overdraft_limit_minor: z
    .int()
    .min(0)
    .default(0)
    .meta({ description: 'How far below zero it may go. Accounts of the kinds clearing and external have no limit.' }),
});
export type OpenAccountBody = z.output<typeof openAccountBody>;

export const statusBody = z.strictObject({ status: z.enum(accountStatuses) });

/** Money into, out of or reserved in the account of the path. */
export const moneyBody = z.strictObject({ amount_minor: amountMinor, currency, reference });

export const transferBody = z
  .strictObject({
    from_account_id: identifier,
    to_account_id: identifier,
    amount_minor: amountMinor,
    currency: currency.meta({ description: 'That of the account that pays.' }),
    to_currency: currency.optional().meta({ description: 'That of the other account, where it has another one.' }),
    rate: z
      .string()
      .regex(/^(?=.*[1-9])[0-9]{1,9}(\.[0-9]{1,12})?$/, 'must be digits with at most 12 behind a point, above 0')
      .optional()
      .meta({
        description:
          'Major units of to_currency for one major unit of currency. What the other account gets is rounded half to even.',
      }),
    reference,
  })
  .refine(({ rate, to_currency }) => (rate === undefined) === (to_currency === undefined), {
    path: ['rate'],
    message: 'must come together with to_currency',
  })
  .meta({
    description: 'to_currency and rate come together, or neither.',
    dependentRequired: { rate: ['to_currency'], to_currency: ['rate'] },
  });

export const balanceQuery = z.strictObject({
  at: timestamp.optional().meta({ description: 'A moment of the past, with what was posted until then.' }),
});

export const postingsQuery = z.strictObject({ limit: pageLimit(200, 50), cursor: pageCursor });

const balances = {
  balance_minor: amountOutput.meta({ description: 'With legs that wait to be posted.' }),
  held_minor: amountOutput.nullable().meta({ description: 'Reserved by holds.' }),
  available_minor: amountOutput.nullable().meta({
    description: 'What can be spent: balance, less what is held, plus the overdraft limit; null without limit.',
  }),
  pending_minor: amountOutput.nullable().meta({ description: 'Of the balance, what has no posting yet.' }),
};

export const account = z
  .object({
    account_id: z.string(),
    user_id: z.string(),
    currency: z.string(),
    kind: z.enum(accountKinds),
    status: z.enum(accountStatuses),
    overdraft_limit_minor: amountOutput.nullable(),
    ...balances,
    version: z.int().meta({ description: 'Number of the newest posting.' }),
    created_at: timeOutput,
    updated_at: timeOutput,
  })
  .meta({ id: 'Account' });

export const balance = z
  .object({
    account_id: z.string(),
    currency: z.string(),
    ...balances,
    version: z.int(),
    at: timeOutput.nullable().meta({ description: 'The moment that was asked for; held and available are null then.' }),
  })
  .meta({ id: 'Balance' });

export const posting = z
  .object({
    account_id: z.string(),
    sequence: z.int(),
    transfer_id: z.uuid(),
    amount_minor: amountOutput.meta({ description: 'Above 0 where the account was paid, below where it paid.' }),
    currency: z.string(),
    balance_minor: amountOutput.meta({ description: 'After this posting.' }),
    hash: z.string().meta({ description: 'SHA-256 of the hash before it and of this posting.' }),
    created_at: timeOutput,
  })
  .meta({ id: 'Posting' });

export const transfer = z
  .object({
    transfer_id: z.uuid(),
    kind: z.enum(['transfer', 'top_up', 'withdrawal', 'payment', 'refund']),
    from_account_id: z.string(),
    to_account_id: z.string(),
    amount_minor: amountOutput,
    currency: z.string(),
    to_amount_minor: amountOutput,
    to_currency: z.string(),
    rate: z.string().nullable(),
    reference: z.string().nullable(),
    created_at: timeOutput,
  })
  .meta({ id: 'Transfer' });

export const hold = z
  .object({
    hold_id: z.uuid(),
    account_id: z.string(),
    amount_minor: amountOutput,
    currency: z.string(),
    status: z.enum(['active', 'released', 'captured']),
    reference: z.string().nullable(),
    created_at: timeOutput,
    updated_at: timeOutput,
  })
  .meta({ id: 'Hold' });
