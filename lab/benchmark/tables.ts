import type { AuditResult } from '../../audit/audit.ts';
import type { RunDocument } from '../../benchmarks/schema/run.ts';
import { table } from '../output.ts';

/** The comparison as a reader wants it in a terminal: a line for each arm, the control first. */
export function comparisonTable(document: RunDocument): string {
  const five = (order: string) => `timeline/five days/${order}/cold/ms`;
  const head = ['', 'verdict', 'webhooks/s', 'ratio (95 %)', 'p99 at half', 'CPU/webhook', 'WAL/webhook'];
  const withTimeline = document.scenarios.includes('timeline');
  const rows = document.arms.map((arm) => {
    const median = (metric: string) => arm.summary[metric]?.median;
    const ratio = document.comparisons.find((entry) => entry.arm === arm.name && entry.metric === 'ingest.rate');
    const interval = ratio && `${ratio.ratio.toFixed(2)} (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)})`;
    return [
      arm.name,
      arm.verdict,
      show(median('ingest.rate'), 0),
      interval ?? (arm.name === document.control ? 'control' : '–'),
      show(median('ingest.halfP99Ms'), 1, ' ms'),
      show(median('ingest.cpuUs'), 0, ' µs'),
      show(median('ingest.walBytes'), 0, ' B'),
      ...(withTimeline ? [show(median(five('random')), 0, ' ms'), show(median(five('time')), 0, ' ms')] : []),
      arm.audit ? (arm.audit.ok ? 'clean' : 'BROKEN') : 'none',
    ];
  });
  const timelineHead = withTimeline ? ['5 days cold, random', '5 days cold, in order'] : [];
  return table([...head, ...timelineHead, 'audit'], rows);
}

/** How fresh the analytics are, a line for each CDC engine; undefined where the run did not measure it. */
export function freshnessTable({ freshness }: RunDocument): string | undefined {
  if (!freshness || freshness.engines.length === 0) return undefined;
  const rows = freshness.engines.map(({ engine, verdict, load, steady, drain, audit }) => [
    ...[
      engine,
      verdict,
      show(load.rate, 0),
      show(steady.latency.p50Ms, 0, ' ms'),
      show(steady.latency.p99Ms, 0, ' ms'),
    ],
    ...[steady.slowStage.replaceAll('_', ' '), show(drain.eventsPerSecond, 0), audit.ok ? 'clean' : 'BROKEN'],
  ]);
  const head = ['to ClickHouse by', 'verdict', 'webhooks/s', 'visible p50', 'p99', 'slowest stage', 'drain events/s'];
  return table([...head, 'audit'], rows);
}

/** One row for each invariant, with what breaks it below. */
export function auditTable(result: AuditResult): string {
  const rows = result.invariants.map(({ id, ok, title, checked, violations, note }) => {
    return [ok ? '✓' : '✗', id, title, checked, violations, note ?? ''];
  });
  const broken = result.invariants.flatMap((invariant) =>
    invariant.examples.map((text) => `  ${invariant.id}  ${text}`),
  );
  return [table(['', '', 'invariant', 'checked', 'violations', ''], rows), ...broken].join('\n');
}

/** What had to be discarded and what could not run, one line each. */
export function remarks(document: RunDocument): string[] {
  const discarded = document.measurements.filter(({ verdict }) => verdict === 'DISCARDED');
  return [
    ...discarded.map((entry) => {
      return `discarded: ${entry.scenario} round ${entry.round} of ${entry.arm}: ${entry.reasons.join('; ')}`;
    }),
    ...document.arms.flatMap((arm) => arm.reasons.map((reason) => `${arm.name} does not count: ${reason}`)),
    ...(document.freshness?.absent.map(({ engine, reason }) => `not here: ${engine}, because ${reason}`) ?? []),
    ...document.absent.map(({ name, reason }) => `not here: ${name}, because ${reason}`),
    ...(document.baseline?.regressions.map((text) => `worse than ${document.baseline!.id}: ${text}`) ?? []),
  ];
}

function show(value: number | undefined, digits: number, unit = ''): string {
  if (value === undefined) return '–';
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }) + unit;
}
