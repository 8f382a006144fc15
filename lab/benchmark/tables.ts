import { number } from '../../benchmarks/report/numbers.ts';
import { topologyScenarios } from '../../benchmarks/scenarios/registry.ts';
import type { TextSummary } from '../../benchmarks/scenarios/scenario.ts';
import type { RunDocument } from '../../benchmarks/schema/run.ts';
import { table } from '../output.ts';

/** The comparison as a reader wants it in a terminal: a line for each arm, the control first. */
export function comparisonTable(document: RunDocument): string {
  const columns = topologyScenarios
    .filter(({ name, table: own }) => own?.always || document.scenarios.includes(name))
    .flatMap((scenario) => scenario.table?.columns ?? []);
  const rows = document.arms.map((arm) => [
    arm.name,
    arm.verdict,
    ...columns.map(({ cell }) => cell(arm, document)),
    arm.audit ? (arm.audit.ok ? 'clean' : 'BROKEN') : 'none',
  ]);
  return table(['', 'verdict', ...columns.map(({ head }) => head), 'audit'], rows);
}

/** How fresh the analytics are, a line for each CDC engine; undefined where the run did not measure it. */
export function freshnessTable({ freshness }: RunDocument): string | undefined {
  if (!freshness || freshness.engines.length === 0) return undefined;
  const rows = freshness.engines.map(({ engine, verdict, load, steady, drain, audit }) => [
    engine,
    verdict,
    number(load.rate),
    `${number(steady.latency.p50Ms)} ms`,
    `${number(steady.latency.p99Ms)} ms`,
    steady.slowStage.replaceAll('_', ' '),
    number(drain.eventsPerSecond),
    audit.ok ? 'clean' : 'BROKEN',
  ]);
  const head = ['to ClickHouse by', 'verdict', 'webhooks/s', 'visible p50', 'p99', 'slowest stage', 'drain events/s'];
  return table([...head, 'audit'], rows);
}

/** What a scenario with arms of its own has to say. */
export function summaryText({ head, rows, lines }: TextSummary): string {
  return [table(head, rows), ...lines].join('\n');
}

/** What had to be discarded and what could not run, one line each. */
export function remarks({ measurements, arms, freshness, absent, baseline }: RunDocument): string[] {
  const discarded = measurements.filter(({ verdict }) => verdict === 'DISCARDED');
  return [
    ...discarded.map((entry) => {
      return `discarded: ${entry.scenario} round ${entry.round} of ${entry.arm}: ${entry.reasons.join('; ')}`;
    }),
    ...arms.flatMap((arm) => arm.reasons.map((reason) => `${arm.name} does not count: ${reason}`)),
    ...(freshness?.absent.map(({ engine, reason }) => `not here: ${engine}, because ${reason}`) ?? []),
    ...absent.map(({ name, reason }) => `not here: ${name}, because ${reason}`),
    ...(baseline?.regressions.map((text) => `worse than ${baseline.id}: ${text}`) ?? []),
  ];
}
