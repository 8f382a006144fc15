import { number, percent } from '../../report/numbers.ts';
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

/** Wider than this, an interval says nothing about a price of a tenth. */
const tellingWidth = 0.3;

function describeRate(rate: Comparison): string {
  const bounds = `${rate.low.toFixed(2)}–${rate.high.toFixed(2)}`;
  const interval = `${rate.ratio.toFixed(2)} × ${rate.control}, ${percent(rate.confidence)} interval ${bounds}`;
  if (rate.high < 1) return `takes ${percent(1 - rate.ratio)} fewer webhooks a second (${interval})`;
  if (rate.low > 1) return `takes ${percent(rate.ratio - 1)} more webhooks a second (${interval})`;
  if (rate.high - rate.low > tellingWidth) return `can't be told from ${rate.control} by this run (${interval})`;
  return `takes as many webhooks a second as far as this run can see (${interval})`;
}

function describeCost(comparisons: readonly Comparison[]): string {
  const cpu = comparisons.find(({ metric }) => metric === 'ingest.cpuUs');
  const wal = comparisons.find(({ metric }) => metric === 'ingest.walBytes');
  return cpu && wal ? `; each costs ${cpu.ratio.toFixed(2)} × the CPU and ${wal.ratio.toFixed(2)} × the WAL` : '';
}

/** The price in ingest of what else an arm is good for, as the middle of a sentence. */
export function describePrice(rate: Comparison): string {
  if (rate.high < 1) return `cost ${percent(1 - rate.ratio)} of the ingest rate`;
  const interval = `${rate.low.toFixed(2)}–${rate.high.toFixed(2)} × ${rate.control}`;
  if (rate.low > 1) return `cost no ingest rate (${interval})`;
  if (rate.high - rate.low > tellingWidth) return `have a price in ingest that this run could not tell (${interval})`;
  return `cost no ingest rate that this run could see (${interval})`;
}
