import { z } from 'zod';
import { loadPhase, percentiles } from '../../schema/load-phase.ts';
import { ownDocument } from '../../schema/own-document.ts';

const stage = z.strictObject({ p50Ms: z.number(), p99Ms: z.number() });

/** In the order of their turns. */
export const engines = ['native', 'debezium'] as const;
export type Engine = (typeof engines)[number];

/** What one CDC engine did in `lab bench freshness`. */
export const engineFreshness = z.strictObject({
  engine: z.enum(engines),
  verdict: z.enum(['VALID', 'DISCARDED']),
  reasons: z.array(z.string()),
  startS: z.number().meta({ description: 'from nothing to a system that is ready' }),
  highestRate: z.number().meta({ description: 'webhooks a second, with the engine at work beside it' }),
  highestRateBy: z
    .enum(['search', 'closed loop'])
    .meta({ description: 'p99 ≤ 100 ms held, as ingest finds it; or a short closed loop, an estimate' }),
  load: loadPhase.meta({ description: 'the steady phase: half of the highest rate' }),
  steady: z.strictObject({
    latency: percentiles.meta({ description: 'client acknowledged → a query found the event, samples' }),
    unseen: z.int().meta({ description: 'samples that never became visible' }),
    probePauseMs: z.number().meta({ description: 'a latency is too long by at most this and the query’s own time' }),
    stages: z.record(z.string(), stage).meta({
      description:
        'as the events carry it: accepted_to_committed, committed_to_read, read_to_published, to_sunk, total',
    }),
    slowStage: z.string(),
    lag: z
      .array(z.strictObject({ atS: z.number(), samples: z.int(), p50Ms: z.number(), maxMs: z.number() }))
      .meta({ description: 'samples by the half second in which they were acknowledged' }),
  }),
  drain: z.strictObject({
    backlog: z.int(),
    stoppedS: z.number().meta({ description: 'how long nothing read the outbox' }),
    resumeMs: z.int().meta({ description: 'from the start of the engine to the first event that became visible' }),
    drainMs: z.int(),
    eventsPerSecond: z.int().meta({ description: 'backlog over the time from the first visible event to the last' }),
    eventsPerSecondWithStart: z.int(),
  }),
  cpuSeconds: z.record(z.string(), z.number()).meta({ description: 'of the steady phase, by component' }),
  audit: z.strictObject({
    ok: z.boolean(),
    durationS: z.number(),
    invariants: z.array(
      z.strictObject({ id: z.string(), title: z.string(), checked: z.int(), violations: z.int(), ok: z.boolean() }),
    ),
  }),
});

/** The document of `lab bench freshness`. */
export const freshnessDocument = z.strictObject({
  ...ownDocument,
  scenario: z.literal('freshness'),
  engines: z.array(engineFreshness),
  absent: z.array(z.strictObject({ engine: z.string(), reason: z.string() })),
  drainRatio: z.number().nullable().meta({ description: 'native over debezium, events a second of the drain' }),
  targets: z.array(z.strictObject({ what: z.string(), target: z.string(), measured: z.string(), met: z.boolean() })),
});

/** Said beside each table of drains. */
export const backlogNote =
  'The backlog is written straight into the outbox by SQL while nothing reads it, the same for each engine.';

export type EngineFreshness = z.infer<typeof engineFreshness>;
export type FreshnessDocument = z.infer<typeof freshnessDocument>;
