import { z } from 'zod';

/** One stretch of load at one rate. */
export type LoadPhase = z.infer<typeof loadPhase>;

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
