import { z } from 'zod';
import { topologyNames } from '../../kernel/topology.ts';
import { freshnessDocument } from '../scenarios/freshness/document.ts';
import { digest } from './digest.ts';
import { environment } from './environment.ts';
import { ratioFields } from './ratio.ts';
import { measurementOf, type TurnKind, verdict } from './turn.ts';

/** One run of `lab compare`, `lab bench` or `lab start`, as `results/<id>.json` holds it. */
export type RunDocument = z.infer<ReturnType<typeof runDocumentOf>>;
export type ArmResult = z.infer<typeof arm>;
export type Comparison = z.infer<typeof comparison>;

const topology = z.enum(topologyNames);

const summary = z.strictObject({
  median: z.number(),
  min: z.number(),
  max: z.number(),
  spread: z.number().meta({ description: '(max − min) ÷ median' }),
});

const invariant = z.strictObject({
  id: z.enum(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I8', 'model', 'notified', 'state']),
  title: z.string(),
  checked: z.int(),
  violations: z.int(),
  examples: z.array(z.string()),
  ok: z.boolean(),
  note: z.string().nullable(),
});

const arm = z.strictObject({
  /** The topology, or what stands beside the topologies, as `pgbench`. */
  name: z.string(),
  topology: topology.nullable(),
  description: z.string(),
  postgres: z.strictObject({ kind: z.enum(['embedded', 'installed']), version: z.string() }),
  memory: z.string().meta({ description: "how the arm's memory budget is split over its servers" }),
  settings: z.record(z.string(), z.string()),
  dataset: z.strictObject({
    deliveries: z.int(),
    databaseBytes: z.int(),
    sharedBuffersBytes: z.int(),
    cacheRatio: z.number().meta({ description: 'shared buffers ÷ database size' }),
    cacheHitRatio: z.number().meta({ description: 'blocks found in shared buffers ÷ blocks asked for, whole run' }),
  }),
  verdict,
  reasons: z.array(z.string()),
  acknowledged: z.int().optional().meta({ description: 'webhooks that the client counted as acknowledged, each once' }),
  summary: z.record(z.string(), summary).meta({ description: 'by metric, over the valid rounds' }),
  audit: z.strictObject({ ok: z.boolean(), durationS: z.number(), invariants: z.array(invariant) }).nullable(),
  topStatements: z.array(
    z.strictObject({
      query: z.string(),
      calls: z.int(),
      totalMs: z.number(),
      meanMs: z.number(),
      rows: z.int(),
      walBytes: z.number(),
    }),
  ),
});

const comparison = z.strictObject({
  metric: z.string(),
  arm: z.string(),
  control: z.string(),
  ...ratioFields,
});

/**
 * The schema of a run's document.
 * @param scenarios that a run can hold
 * @param turns the kinds of turns that these scenarios leave
 */
export function runDocumentOf(scenarios: readonly string[], turns: readonly TurnKind[]) {
  return z.strictObject({
    schemaVersion: z.literal(1),
    id: z.string().regex(/^[0-9]{8}T[0-9]{6}Z-[a-z0-9-]+$/),
    command: z.string(),
    startedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime(),
    seed: z.int(),
    rounds: z.int(),
    control: z.string(),
    scenarios: z.array(z.enum(scenarios)),
    environment,
    arms: z.array(arm),
    absent: z.array(z.strictObject({ name: z.string(), reason: z.string() })),
    measurements: z.array(measurementOf(turns)),
    comparisons: z.array(comparison),
    sameArm: z
      .strictObject({
        arm: z.string(),
        comparisons: z.array(comparison),
        earlierRuns: z.int().meta({ description: 'earlier runs on this machine that are in it' }),
        earlier: z.record(z.string(), z.number()).meta({ description: 'largest |log ratio| of theirs, by metric' }),
      })
      .nullable()
      .optional()
      .meta({ description: 'the control against itself; null where no arms are compared, absent in older results' }),
    freshness: freshnessDocument
      .nullable()
      .optional()
      .meta({ description: 'the CDC engines side by side, where the run measured them' }),
    baseline: z
      .strictObject({ id: z.string(), comparisons: z.array(comparison), regressions: z.array(z.string()) })
      .nullable(),
    verdict,
    reasons: z.array(z.string()),
    findings: z.array(z.string()).meta({ description: 'what the numbers say, one sentence each' }),
    conclusion: z.string().meta({ description: 'the result in one sentence' }),
    digest,
  });
}
