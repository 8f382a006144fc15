import { z } from 'zod';

/** One stretch of load at one rate. */
export type LoadPhase = z.infer<typeof loadPhase>;
export type IngestData = z.infer<typeof ingestData>;
export type CurvePoint = IngestData['curve'][number];
export type LagPoint = IngestData['lag'][number];

export const percentiles = z.strictObject({
  count: z.int(),
  p50Ms: z.number(),
  p90Ms: z.number(),
  p99Ms: z.number(),
  p999Ms: z.number(),
  maxMs: z.number(),
});

export const loadPhase = z.strictObject({
  offeredRate: z.number().nullable().meta({ description: 'webhooks a second; null for a closed loop' }),
  rate: z.number().meta({ description: 'webhooks a second acknowledged, over the time until the last answer' }),
  durationS: z.number(),
  sent: z.int(),
  acknowledged: z.int(),
  errors: z.int().meta({ description: 'no answer, or none of the 2xx' }),
  latency: percentiles.meta({ description: 'from the intended start to the end of the answer' }),
  histogram: z.string().meta({ description: 'the latencies in microseconds: HdrHistogram V2, compressed, base64' }),
  lateness: z
    .strictObject({ p99Ms: z.number(), maxMs: z.number() })
    .meta({ description: 'how long after its intended start a request was handed to a connection' }),
  cpuSeconds: z
    .record(z.string(), z.number())
    .meta({ description: 'CPU seconds by component: api, postgres, replica, generator' }),
  walBytes: z.number(),
});

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
    .meta({ description: 'windows of the ramp' }),
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
