import { z } from 'zod';

export type PgbenchData = z.infer<typeof pgbenchData>;

export const pgbenchData = z.strictObject({
  version: z.string(),
  rate: z.number().meta({ description: 'transactions a second of the best of the runs' }),
  runs: z.array(
    z.strictObject({
      form: z.enum(['statements', 'single']).meta({ description: 'a round trip a statement, or one statement' }),
      clients: z.int(),
      rate: z.number(),
      latencyMs: z.number(),
    }),
  ),
});
