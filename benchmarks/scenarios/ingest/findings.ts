import { number, percent } from '../../report/numbers.ts';
import { boundsInWords, claimOf } from '../../report/ratio-words.ts';
import type { Comparison } from '../../schema/run.ts';
import { type Measurement, turnsOf, validDataOf } from '../../schema/turn.ts';
import { median } from '../../statistics/summary.ts';
import type { Evidence } from '../scenario.ts';
import { ingestRate, ingestTurn } from './metrics.ts';

/** What the control takes, and what every other arm takes beside it. */
export function ingestFindings({ arms, comparisons, control, measurements }: Evidence): string[] {
  const findings: string[] = [];
  const controlRate = arms.find((arm) => arm.name === control)?.summary[ingestRate]?.median;
  if (controlRate !== undefined) {
    findings.push(
      `${control} takes ${number(controlRate)} webhooks a second at p99 ≤ 100 ms on this machine${heldInWords(measurements, control)}.`,
    );
  }
  for (const { name } of arms) {
    const own = comparisons.filter(({ arm }) => arm === name);
    const rate = own.find(({ metric }) => metric === ingestRate);
    if (rate) findings.push(`${name} ${describeRate(rate)}${describeCost(own)}${heldInWords(measurements, name)}.`);
  }
  return [...findings, ...unsteadyCurves(measurements)];
}

/** How long the rate was held in a typical round, and over how many requests: what a p99 of them can be worth. */
function heldInWords(measurements: readonly Measurement[], arm: string): string {
  const peaks = validDataOf(
    ingestTurn,
    measurements.filter((entry) => entry.arm === arm),
  ).map(({ peak }) => peak);
  if (peaks.length === 0) return '';
  const seconds = median(peaks.map(({ durationS }) => durationS)).toFixed(1);
  return `, held for ${seconds} s and ${number(median(peaks.map(({ sent }) => sent)))} requests a round`;
}

/** A rate that was kept above one that was missed: then the limit is not a line, and the rate is a matter of chance. */
function unsteadyCurves(measurements: readonly Measurement[]): string[] {
  return turnsOf(ingestTurn, measurements).flatMap(({ arm, round, verdict, data }) => {
    if (verdict !== 'VALID' || data === null) return [];
    const missed = data.attempts.filter(({ kept }) => !kept).map(({ offeredRate }) => offeredRate);
    const above = data.attempts.find(({ kept, offeredRate }) => kept && offeredRate > Math.min(...missed));
    if (!above) return [];
    return [
      `Not monotonic: ${arm} kept ${number(above.offeredRate)} a second in round ${round} and missed ` +
        `${number(Math.min(...missed))}; its rate there is a matter of chance.`,
    ];
  });
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
