import { z } from 'zod';

/** A ratio of two arms, as `benchmarks/statistics/paired-ratio.ts` describes it. */
export const ratioFields = {
  ratio: z.number(),
  low: z.number(),
  high: z.number(),
  confidence: z.number().nullable().meta({ description: 'null: the bounds are the range of too few rounds' }),
  floor: z
    .number()
    .optional()
    .meta({ description: 'what the control differs from itself, as a share: smaller differences are not claimed' }),
  rounds: z
    .int()
    .optional()
    .meta({ description: 'rounds of both arms; absent in results whose intervals are percentile bootstrap intervals' }),
};
