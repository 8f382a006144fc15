import { number, percent } from '../../report/numbers.ts';
import { boundsInWords, claimOf } from '../../report/ratio-words.ts';
import type { Comparison } from '../../schema/run.ts';
import type { Evidence } from '../scenario.ts';
import { ingestRate } from './metrics.ts';

/** What the control takes, and what every other arm takes beside it. */
export function ingestFindings({ arms, comparisons, control }: Evidence): string[] {
  const findings: string[] = [];
  const controlRate = arms.find((arm) => arm.name === control)?.summary[ingestRate]?.median;
  if (controlRate !== undefined) {
    findings.push(`${control} takes ${number(controlRate)} webhooks a second at p99 ≤ 100 ms on this machine.`);
  }
  for (const { name } of arms) {
    const own = comparisons.filter(({ arm }) => arm === name);
    const rate = own.find(({ metric }) => metric === ingestRate);
    if (rate) findings.push(`${name} ${describeRate(rate)}${describeCost(own)}.`);
  }
  return findings;
}

function describeRate(rate: Comparison): string {
  const evidence = `${rate.ratio.toFixed(2)} × ${rate.control}, ${boundsInWords(rate)}`;
  switch (claimOf(rate)) {
    case 'below':
      return `takes ${percent(1 - rate.ratio)} fewer webhooks a second (${evidence})`;
    case 'above':
      return `takes ${percent(rate.ratio - 1)} more webhooks a second (${evidence})`;
    case 'undecided':
      return `is not distinguished from ${rate.control} in webhooks a second (${evidence})`;
    case 'unclaimed':
      return `took webhooks at ${evidence}`;
  }
}

function describeCost(comparisons: readonly Comparison[]): string {
  const cpu = comparisons.find(({ metric }) => metric === 'ingest.cpuUs');
  const wal = comparisons.find(({ metric }) => metric === 'ingest.walBytes');
  if (!cpu || !wal) return '';
  const said = (of: Comparison, what: string) => `${of.ratio.toFixed(2)} × the ${what} (${boundsInWords(of)})`;
  return `; each costs ${said(cpu, 'CPU')} and ${said(wal, 'WAL')}`;
}

/** The price in ingest of what else an arm is good for, as the middle of a sentence. */
export function describePrice(rate: Comparison): string {
  const evidence = `${rate.ratio.toFixed(2)} × ${rate.control}, ${boundsInWords(rate)}`;
  switch (claimOf(rate)) {
    case 'below':
      return `cost ${percent(1 - rate.ratio)} of the ingest rate (${evidence})`;
    case 'above':
      return `cost no ingest rate (${evidence})`;
    case 'undecided':
      return `have a price in ingest that this run does not tell (${evidence})`;
    case 'unclaimed':
      return `had an ingest rate of ${evidence}`;
  }
}
