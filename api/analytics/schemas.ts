import { z } from 'zod';
import { currency, identifier, timestampMeta } from '../../kernel/contract/fields.ts';
import { transferKinds } from '../../kernel/contract/status.ts';
import { pageLimit } from '../../kernel/http/page.ts';
import { providers } from '../../kernel/providers/index.ts';
import { amountOutput, timeOutput } from '../openapi/describe.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Length of a bucket, the span that is taken without a range, and the longest one. */
const granularities = {
  minute: { bucketMs: minuteMs, defaultMs: hourMs, maxMs: dayMs },
  hour: { bucketMs: hourMs, defaultMs: dayMs, maxMs: 31 * dayMs },
  day: { bucketMs: dayMs, defaultMs: 30 * dayMs, maxMs: 400 * dayMs },
} as const;
type Granularity = keyof typeof granularities;

const time = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 timestamp with an offset, such as 2026-01-31T12:00:00Z' })
  .transform((text) => new Date(text))
  .refine(
    (date) => date.getUTCFullYear() >= 1970 && date.getUTCFullYear() <= 2100,
    'must be between the years 1970 and 2100',
  );

const years = '19[7-9][0-9]|20[0-9]{2}|2100';

const common = {
  source: z.enum(['clickhouse', 'postgres']).default('clickhouse').meta({
    description: 'Both answer alike; ClickHouse from its roll-ups and a moment later, PostgreSQL from its journal.',
  }),
  granularity: z.enum(['minute', 'hour', 'day']).default('day'),
  time_from: time.optional().meta({
    ...timestampMeta(years),
    description:
      'Inclusive, and before time_to; rounded down to the granularity. At most a day by minute, 31 days by hour and ' +
      '400 days by day before time_to. Without it an hour, a day or 30 days before time_to.',
  }),
  time_to: time.optional().meta({
    ...timestampMeta(years),
    description: 'Exclusive, and after time_from; rounded up to the granularity. Without it now.',
  }),
};
const optionalCurrency = currency.optional();
const provider = z.enum(providers.map(({ name }) => name) as [string, ...string[]]).optional();

export const bucketQuery = z.strictObject({ ...common, currency: optionalCurrency, provider });
export const funnelQuery = z.strictObject({ ...common, currency: optionalCurrency });
export const topUsersQuery = z.strictObject({
  ...common,
  currency,
  limit: pageLimit(1_000, 10),
});
export const balancesQuery = z.strictObject({ ...common, account_id: identifier });
export const freshnessQuery = z.strictObject({
  source: common.source,
  window_minutes: pageLimit(60, 5),
});

export interface Range {
  timeFrom: Date;
  timeTo: Date;
  bucketSeconds: number;
}

/** Whole buckets for what was asked. @returns the reason instead where that makes no sense. */
export function readRange(
  asked: { granularity: Granularity; time_from?: Date | undefined; time_to?: Date | undefined },
  now: Date,
): Range | { path: string; reason: string } {
  const { bucketMs, defaultMs, maxMs } = granularities[asked.granularity];
  const to = Math.ceil((asked.time_to ?? now).getTime() / bucketMs) * bucketMs;
  const from = Math.floor((asked.time_from?.getTime() ?? Math.max(0, to - defaultMs)) / bucketMs) * bucketMs;
  if (from >= to) return { path: 'time_to', reason: 'must be after time_from' };
  if (to - from > maxMs) {
    return { path: 'time_from', reason: `by ${asked.granularity} at most ${maxMs / dayMs} days can be asked for` };
  }
  return { timeFrom: new Date(from), timeTo: new Date(to), bucketSeconds: bucketMs / 1000 };
}

const count = z.int().min(0);
const rate = z.number().min(0).nullable().meta({ description: 'Null where there is nothing to divide by.' });
const code = z.string().nullable().meta({ description: 'Null where the events do not know it.' });

const answer = <T extends z.ZodType>(row: T) =>
  z.object({
    source: z.enum(['clickhouse', 'postgres']),
    time_from: timeOutput,
    time_to: timeOutput,
    rows: z.array(row),
  });

export const volumeAnswer = answer(
  z.object({
    bucket: timeOutput,
    currency: code,
    provider: code,
    orders_created: count,
    orders_succeeded: count,
    orders_failed: count,
    success_rate: rate,
    volume_minor: amountOutput,
  }),
).meta({ id: 'AnalyticsVolume' });

export const disputesAnswer = answer(
  z.object({
    bucket: timeOutput,
    currency: code,
    provider: code,
    disputes_opened: count,
    disputes_won: count,
    disputes_lost: count,
    orders_succeeded: count,
    dispute_rate: rate,
    win_rate: rate,
    disputed_minor: amountOutput,
  }),
).meta({ id: 'AnalyticsDisputes' });

export const funnelAnswer = answer(
  z.object({
    currency: code,
    orders_created: count,
    orders_held: count,
    orders_released: count,
    orders_capture_requested: count,
    orders_captured: count,
    orders_capture_failed: count,
    orders_succeeded: count,
    orders_failed: count,
    captured_minor: amountOutput,
  }),
).meta({ id: 'AnalyticsFunnel' });

export const topUsersAnswer = answer(
  z.object({
    user_id: z.string(),
    orders_created: count,
    orders_succeeded: count,
    disputes_opened: count,
    volume_minor: amountOutput,
  }),
).meta({ id: 'AnalyticsTopUsers' });

export const transfersAnswer = answer(
  z.object({
    bucket: timeOutput,
    currency: z.string(),
    kind: z.enum(transferKinds),
    transfers: count,
    volume_minor: amountOutput.meta({ description: 'What the payers paid.' }),
  }),
).meta({ id: 'AnalyticsTransfers' });

export const balancesAnswer = answer(
  z.object({
    bucket: timeOutput,
    currency: z.string(),
    postings: count,
    change_minor: amountOutput,
    balance_minor: amountOutput.meta({ description: 'After the newest posting of the bucket.' }),
  }),
).meta({ id: 'AnalyticsBalances' });

export const freshnessAnswer = z
  .object({
    source: z.enum(['clickhouse', 'postgres']),
    newest_event_at: timeOutput.nullable(),
    age_ms: count.nullable().meta({ description: 'From the newest event to now; an idle system ages too.' }),
    window_minutes: count,
    events_in_window: count,
    stages: z.array(z.object({ stage: z.string(), events: count, p50_ms: z.number(), p99_ms: z.number() })).meta({
      description:
        'Time to each stage from the one before, and in total, for events of the window; by ClickHouse only.',
    }),
    slow_stage: z.string().nullable(),
  })
  .meta({ id: 'AnalyticsFreshness' });
