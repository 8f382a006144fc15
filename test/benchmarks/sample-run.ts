import { conclude } from '../../benchmarks/compare/conclusion.ts';
import { compareToControl, summarizeArm } from '../../benchmarks/compare/summary.ts';
import type { EngineFreshness, FreshnessDocument } from '../../benchmarks/scenarios/freshness/document.ts';
import type { TimelineResult } from '../../benchmarks/scenarios/timeline/data.ts';
import type { LoadPhase } from '../../benchmarks/schema/load-phase.ts';
import type { ArmResult, RunDocument } from '../../benchmarks/schema/run.ts';
import type { Measurement } from '../../benchmarks/schema/turn.ts';
import { createHistogram, encodeHistogram, percentiles } from '../../simulator/driver/histogram.ts';

export interface SampleArm {
  name: 'plain' | 'partitioned' | 'replicated';
  /** Webhooks a second, by round. */
  rates: readonly number[];
  /** Milliseconds of the cold five-day range, in random and in time order. */
  fiveDaysMs: readonly [number, number];
  /** The same in time order from memory; 20 unless told otherwise. */
  fiveDaysWarmMs?: number;
  reasons?: string[];
}

/** An invented run of `lab compare`, for tests of what reads one. */
export function sampleRun(sampleArms: readonly SampleArm[], changes: Partial<RunDocument> = {}): RunDocument {
  const measurements = sampleArms.flatMap((arm) => [...ingestRounds(arm), ...timelineRounds(arm)]);
  const comparisons = compareToControl(measurements, 'plain');
  const arms = sampleArms.map((arm) => armResult(arm, measurements));
  const valid = arms.every((arm) => arm.verdict === 'VALID');
  const reasons = arms.flatMap((arm) => arm.reasons);
  return {
    schemaVersion: 1,
    id: '20260131T120000Z-ingest-timeline-beef',
    command: 'compare --rounds 3',
    startedAt: '2026-01-31T12:00:00.000Z',
    finishedAt: '2026-01-31T12:03:30.000Z',
    seed: 1,
    rounds: 3,
    control: 'plain',
    scenarios: ['ingest', 'timeline'],
    environment: {
      commit: 'c0ffee',
      platform: 'Linux 6.1 x64',
      cpu: 'Invented <CPU> & Sons',
      cores: 2,
      memoryBytes: 8e9,
      node: 'v24.0.0',
      loadAverage: 0.3,
    },
    arms,
    absent: [{ name: 'citus', reason: 'not installed' }],
    measurements,
    comparisons,
    baseline: null,
    verdict: valid ? 'VALID' : 'DISCARDED',
    reasons,
    ...conclude({ arms, comparisons, control: 'plain', measurements, reasons }),
    ...changes,
  };
}

function turn(arm: SampleArm, round: number) {
  const startedAt = '2026-01-31T12:01:00.000Z';
  return { arm: arm.name, round, position: 1, startedAt, durationS: 12, verdict: 'VALID' as const, reasons: [] };
}

function ingestRounds(arm: SampleArm): Measurement[] {
  return arm.rates.map((rate, at) => ({
    scenario: 'ingest',
    ...turn(arm, at + 1),
    data: {
      saturation: samplePhase(rate * 1.1),
      curve: [0.5, 0.8, 1.1].map((share) => ({
        offeredRate: rate * share,
        rate: rate * share,
        p50Ms: 5,
        p99Ms: 40 * share ** 3,
        errors: 0,
      })),
      peak: samplePhase(rate),
      attempts: [{ offeredRate: rate, rate, p99Ms: 60, kept: true }],
      half: samplePhase(rate / 2),
      objective: { percentile: 99, latencyMs: 100 },
      acknowledged: Math.round(rate * 10),
      diskGrowthBytes: Math.round(rate * 10) * 2_000,
      checkpoints: { requested: 0, timed: 0 },
      restarts: 0,
      lag: arm.name === 'replicated' ? [{ atS: 0.25, bytes: 1_000, replayMs: 2 }] : [],
    },
  }));
}

/** An invented stretch of load: two seconds at a rate, with latencies from 1 ms to 50 ms. */
export function samplePhase(rate: number, changes: Partial<LoadPhase> = {}): LoadPhase {
  const count = Math.round(rate * 2);
  const histogram = createHistogram();
  for (let at = 0; at < 1_000; at += 1) histogram.recordValue(1_000 + at * 49);
  return {
    offeredRate: rate,
    rate,
    durationS: 2,
    sent: count,
    acknowledged: count,
    errors: 0,
    latency: percentiles(histogram),
    histogram: encodeHistogram(histogram),
    lateness: { p99Ms: 2, maxMs: 9 },
    cpuSeconds: { api: count * 0.0001, postgres: count * 0.00005, generator: count * 0.00004 },
    walBytes: count * 2_400,
    ...changes,
  };
}

function timelineRounds(arm: SampleArm): Measurement[] {
  const result = (order: 'random' | 'time', cache: 'cold' | 'warm', executionMs: number): TimelineResult => {
    const pages = { pagesHit: 10, pagesRead: Math.round(executionMs * 50), rows: 3_000, relations: 5 };
    return { query: 'five days', order, cache, pruning: true, executionMs, planningMs: 0, ...pages };
  };
  const [random, time] = arm.fiveDaysMs;
  const history: TimelineResult = {
    ...result('time', 'warm', arm.name === 'plain' ? 0.1 : 0.9),
    query: 'one dispute’s history, unbounded',
  };
  return arm.rates.map((_, at) => ({
    scenario: 'timeline',
    ...turn(arm, at + 1),
    data: {
      events: 200_000,
      disputes: 40_000,
      days: 30,
      node: arm.name === 'replicated' ? 'replica' : 'primary',
      cold: 'shared buffers only',
      results: [
        result('random', 'cold', random),
        result('time', 'cold', time),
        result('time', 'warm', arm.fiveDaysWarmMs ?? 20),
        history,
      ],
      plans: at === 0 ? [{ query: 'five days', order: 'random', plan: 'Seq Scan on dispute_events <e>' }] : [],
      seconds: { seeding: 3 },
    },
  }));
}

function armResult(arm: SampleArm, measurements: readonly Measurement[]): ArmResult {
  const reasons = arm.reasons ?? [];
  const invariant = { id: 'I2' as const, title: 'every acknowledged webhook is stored', checked: 10, note: null };
  return {
    name: arm.name,
    topology: arm.name,
    description: `the ${arm.name} arm`,
    postgres: { kind: 'embedded', version: '18.4' },
    memory: arm.name === 'replicated' ? '2 servers with 128 MB shared buffers each' : '256 MB shared buffers',
    settings: { fsync: 'on' },
    dataset: {
      deliveries: 30_000,
      databaseBytes: 90_000_000,
      sharedBuffersBytes: 268_435_456,
      cacheRatio: 2.98,
      cacheHitRatio: 0.999,
    },
    verdict: reasons.length === 0 ? 'VALID' : 'DISCARDED',
    reasons,
    summary: summarizeArm(measurements.filter((measurement) => measurement.arm === arm.name)),
    audit: { ok: true, durationS: 1, invariants: [{ ...invariant, violations: 0, examples: [], ok: true }] },
    topStatements: [{ query: 'insert into outbox', calls: 10, totalMs: 12, meanMs: 1.2, rows: 100, walBytes: 9_000 }],
  };
}

/** Both CDC engines with round numbers, as the tour adds them to a run. */
export function sampleFreshness({ environment }: Pick<RunDocument, 'environment'>): FreshnessDocument {
  const engine = (name: 'native' | 'debezium', p99Ms: number, eventsPerSecond: number): EngineFreshness => ({
    engine: name,
    verdict: 'VALID',
    reasons: [],
    startS: 4,
    highestRate: 2_000,
    highestRateBy: 'closed loop',
    load: samplePhase(1_000),
    steady: {
      latency: { count: 500, p50Ms: 200, p90Ms: 300, p99Ms, p999Ms: p99Ms, maxMs: p99Ms },
      unseen: 0,
      probePauseMs: 10,
      stages: { read_to_sunk: { p50Ms: 150, p99Ms: 600 } },
      slowStage: 'read_to_sunk',
      lag: [0.25, 0.75, 1.25].map((atS) => ({ atS, samples: 50, p50Ms: 200, maxMs: p99Ms })),
    },
    drain: {
      backlog: 40_000,
      stoppedS: 1,
      resumeMs: 900,
      drainMs: 1_000,
      eventsPerSecond,
      eventsPerSecondWithStart: eventsPerSecond / 2,
    },
    cpuSeconds: { api: 1, cdc: 1 },
    audit: { ok: true, durationS: 1, invariants: [] },
  });
  return {
    schemaVersion: 1,
    id: '20260131T120000Z-freshness-0000',
    scenario: 'freshness',
    command: 'start',
    startedAt: '2026-01-31T12:00:00.000Z',
    finishedAt: '2026-01-31T12:01:00.000Z',
    seed: 1,
    topology: 'partitioned',
    environment,
    engines: [engine('native', 700, 40_000), engine('debezium', 1_400, 7_000)],
    absent: [],
    drainRatio: 5.71,
    verdict: 'VALID',
    targets: [{ what: 'freshness p99, native', target: '≤ 1000 ms', measured: '700 ms', met: true }],
  };
}
