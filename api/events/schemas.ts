import { z } from 'zod';
import { identifier, timestampMeta, yearsFrom1970 } from '../../kernel/contract/fields.ts';
import { disputeEventKinds, orderEventKinds } from '../../kernel/contract/status.ts';
import { pageCursor, pageLimit } from '../../kernel/http/page.ts';
import { timeOutput } from '../openapi/describe.ts';

const maxValues = 100;

function jsonSchemaOf(schema: z.ZodType) {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema);
  return rest;
}

/** A query parameter that may be repeated and may hold several values with commas in between. */
function severalOf<T extends z.ZodType>(item: T) {
  return z
    .preprocess(
      (given) => (given === undefined ? undefined : [given].flat().flatMap((text) => String(text).split(','))),
      z.array(item).min(1).max(maxValues).optional(),
    )
    .transform((values) => values && [...new Set(values)].sort())
    .meta({
      type: 'array',
      items: jsonSchemaOf(item),
      minItems: 1,
      maxItems: maxValues,
      description: `Up to ${maxValues}; the parameter may be repeated, and a value may hold several with commas between.`,
    });
}

/**
 * RFC 3339 with an offset, as UTC text with its microseconds: a Date would cut them off, and PostgreSQL refuses some
 * offsets and years that the standard allows.
 */
const exactTimestamp = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 timestamp with an offset, such as 2026-01-31T12:00:00Z' })
  .transform((text, context) => {
    const time = new Date(text);
    if (!(time.getUTCFullYear() >= 1970 && time.getUTCFullYear() <= 9999)) {
      context.addIssue({ code: 'custom', message: 'must be between the years 1970 and 9999' });
      return z.NEVER;
    }
    const fraction = (/\.(\d+)/.exec(text)?.[1] ?? '').padEnd(6, '0').slice(3, 6);
    return time.toISOString().replace('Z', `${fraction}Z`);
  });

const filters = {
  kind: severalOf(z.enum([...orderEventKinds, ...disputeEventKinds])),
  order_ids: severalOf(identifier),
  dispute_ids: severalOf(identifier),
  time_from: exactTimestamp.optional().meta({
    ...timestampMeta(yearsFrom1970),
    description: 'Inclusive; before time_to.',
  }),
  time_to: exactTimestamp.optional().meta({
    ...timestampMeta(yearsFrom1970),
    description: 'Exclusive; after time_from.',
  }),
  order: z.enum(['asc', 'desc']).default('asc'),
};

const rangeIsOpen = (query: { time_from?: string | undefined; time_to?: string | undefined }): boolean =>
  query.time_from === undefined || query.time_to === undefined || query.time_from < query.time_to;
const emptyRange = { path: ['time_to'], message: 'must be after time_from' };

export const exportEventsQuery = z.strictObject(filters).refine(rangeIsOpen, emptyRange);
export type EventFilters = z.output<typeof exportEventsQuery>;

export const listEventsQuery = z
  .strictObject({ ...filters, limit: pageLimit(1_000, 100), cursor: pageCursor })
  .refine(rangeIsOpen, emptyRange);

export const event = z
  .object({
    aggregate: z.enum(['order', 'dispute']),
    event_id: z.uuid(),
    order_id: z.string(),
    dispute_id: z.string().nullable(),
    user_id: z.string(),
    sequence: z.int().meta({ description: 'Within the order or, for dispute events, the dispute.' }),
    kind: z.enum([...orderEventKinds, ...disputeEventKinds]),
    provider: z.string().nullable(),
    provider_event_id: z.string().nullable(),
    data: z.record(z.string(), z.unknown()),
    created_at: timeOutput,
  })
  .meta({ id: 'Event' });
