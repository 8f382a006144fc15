import { z } from 'zod';
import { topologyNames } from '../../kernel/topology.ts';
import { pgbenchData } from '../pgbench/data.ts';
import { freshnessDocument } from '../scenarios/freshness/document.ts';
import { ingestData } from '../scenarios/ingest/data.ts';
import { readsData } from '../scenarios/reads/data.ts';
import { timelineData } from '../scenarios/timeline/data.ts';
import { environment } from './environment.ts';

/** One run of `lab compare`, `lab bench` or `lab start`, as `results/<id>.json` holds it. */
export type RunDocument = z.infer<typeof runDocument>;
export type Measurement = RunDocument['measurements'][number];
export type ArmResult = RunDocument['arms'][number];
export type Comparison = RunDocument['comparisons'][number];

const topology = z.enum(topologyNames);
const verdict = z.enum(['VALID', 'DISCARDED']);

const summary = z.strictObject({
  median: z.number(),
  min: z.number(),
  max: z.number(),
  spread: z.number().meta({ description: '(max − min) ÷ median' }),
});

const invariant = z.strictObject({
  id: z.enum(['I2', 'I3', 'I4', 'I5', 'I6', 'I8', 'state']),
  title: z.string(),
  checked: z.int(),
  violations: z.int(),
  examples: z.array(z.string()),
  ok: z.boolean(),
  note: z.string().nullable(),
});

const arm = z.strictObject({
  /** The topology, or another contender such as `pgbench`. */
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

const measured = {
  arm: z.string(),
  round: z.int().min(1),
  position: z.int().min(1).meta({ description: 'place of this arm in its round' }),
  startedAt: z.iso.datetime(),
  durationS: z.number(),
  verdict,
  reasons: z.array(z.string()),
};

const measurement = z.discriminatedUnion('scenario', [
  z.strictObject({ scenario: z.literal('ingest'), ...measured, data: ingestData.nullable() }),
  z.strictObject({ scenario: z.literal('timeline'), ...measured, data: timelineData.nullable() }),
  z.strictObject({ scenario: z.literal('reads'), ...measured, data: readsData.nullable() }),
  z.strictObject({ scenario: z.literal('pgbench'), ...measured, data: pgbenchData.nullable() }),
]);

const comparison = z.strictObject({
  metric: z.string(),
  arm: z.string(),
  control: z.string(),
  ratio: z.number(),
  low: z.number(),
  high: z.number(),
  confidence: z.number(),
});

export const runDocument = z.strictObject({
  schemaVersion: z.literal(1),
  id: z.string().regex(/^[0-9]{8}T[0-9]{6}Z-[a-z0-9-]+$/),
  command: z.string(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  seed: z.int(),
  rounds: z.int(),
  control: z.string(),
  scenarios: z.array(z.enum(['ingest', 'timeline', 'reads', 'freshness'])),
  environment,
  arms: z.array(arm),
  absent: z.array(z.strictObject({ name: z.string(), reason: z.string() })),
  measurements: z.array(measurement),
  comparisons: z.array(comparison),
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
});
