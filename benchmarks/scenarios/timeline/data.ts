import { z } from 'zod';

export type TimelineData = z.infer<typeof timelineData>;
export type TimelineResult = TimelineData['results'][number];

export const timelineData = z.strictObject({
  events: z.int(),
  disputes: z.int(),
  days: z.int(),
  node: z.enum(['primary', 'replica']),
  cold: z.string().meta({ description: 'what was emptied before a cold query, in words' }),
  results: z.array(
    z.strictObject({
      query: z.string(),
      order: z.enum(['random', 'time']).meta({ description: 'the order in which the rows lie on disk' }),
      cache: z.enum(['warm', 'cold']),
      pruning: z.boolean(),
      executionMs: z.number(),
      planningMs: z.number(),
      pagesHit: z.int(),
      pagesRead: z.int(),
      rows: z.int(),
      relations: z.int().meta({ description: 'event tables or partitions that the plan really scanned' }),
    }),
  ),
  plans: z.array(z.strictObject({ query: z.string(), order: z.enum(['random', 'time']), plan: z.string() })),
  seconds: z.strictObject({ seeding: z.number() }),
});
