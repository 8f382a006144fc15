import type { TextSummary } from '../scenario.ts';
import { backlogNote, type FreshnessDocument } from './document.ts';

/** A line for each engine, then the targets. */
export function summarizeFreshness({ engines, targets, absent }: FreshnessDocument): TextSummary {
  return {
    head: [
      'engine',
      'verdict',
      'highest rate',
      'steady rate',
      'p50',
      'p99',
      'slow stage',
      'backlog',
      'drain',
      'until first',
      'audit',
    ],
    rows: engines.map(({ engine, verdict, highestRate, load, steady, drain, audit }) => [
      engine,
      verdict,
      Math.round(highestRate),
      Math.round(load.rate),
      ms(steady.latency.p50Ms),
      ms(steady.latency.p99Ms),
      steady.slowStage,
      drain.backlog,
      `${drain.eventsPerSecond}/s`,
      ms(drain.resumeMs),
      audit.ok ? 'clean' : 'BROKEN',
    ]),
    lines: [
      ...targets.map(({ what, target, measured, met }) => `${met ? '✓' : '✗'} ${what}: ${measured}, target ${target}`),
      ...engines.flatMap(({ engine, reasons }) => reasons.map((reason) => `${engine} does not count: ${reason}`)),
      ...absent.map(({ engine, reason }) => `not here: ${engine}, because ${reason}`),
      backlogNote,
    ],
  };
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}
