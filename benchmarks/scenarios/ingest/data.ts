import { z } from 'zod';
import { loadPhase } from '../../schema/load-phase.ts';

export type IngestData = z.infer<typeof ingestData>;
export type CurvePoint = IngestData['curve'][number];
export type LagPoint = IngestData['lag'][number];

export const ingestData = z.strictObject({
  saturation: loadPhase.meta({ description: 'closed loop: an estimate of the capacity, nothing more' }),
  curve: z
    .array(
      z.strictObject({
        offeredRate: z.number(),
        rate: z.number(),
        p50Ms: z.number(),
        p99Ms: z.number(),
        errors: z.int(),
      }),
    )
    .meta({ description: 'windows of the ramp; empty where an earlier round had found the rate' }),
  peak: loadPhase.meta({ description: 'the highest rate that kept the objective over a whole hold' }),
  attempts: z
    .array(z.strictObject({ offeredRate: z.number(), rate: z.number(), p99Ms: z.number(), kept: z.boolean() }))
    .meta({ description: 'every hold that was tried on the way to the peak' }),
  half: loadPhase.meta({ description: 'half of the peak rate' }),
  objective: z.strictObject({ percentile: z.literal(99), latencyMs: z.number() }),
  acknowledged: z.int().meta({ description: 'webhooks of all phases of the round' }),
  diskGrowthBytes: z.int(),
  checkpoints: z.strictObject({ requested: z.int(), timed: z.int() }),
  restarts: z.int(),
  lag: z
    .array(z.strictObject({ atS: z.number(), bytes: z.number(), replayMs: z.number().nullable() }))
    .meta({ description: "the replica's replay behind the primary; empty without a replica" }),
});
