import { createRandom } from '../../simulator/workload/random.ts';
import type { Comparison } from '../schema/run.ts';
import type { Measurement } from '../schema/turn.ts';
import { ratioOfMedians } from '../statistics/bootstrap.ts';
import { type Summary, summarize } from '../statistics/summary.ts';
import { metricsOf } from './metrics.ts';

/** Medians and ranges of an arm's valid rounds, by metric. */
export function summarizeArm(measurements: readonly Measurement[]): Record<string, Summary> {
  return Object.fromEntries([...valuesOf(measurements)].map(([name, values]) => [name, summarize(values)]));
}

/** With fewer rounds an interval would look certain for lack of anything that could contradict it. */
const fewestRounds = 3;

/**
 * Every metric of every other arm relative to the control's, with its bootstrap interval. Metrics with too few valid
 * rounds for an interval are left out.
 */
export function compareToControl(measurements: readonly Measurement[], control: string, seed: number): Comparison[] {
  const byArm = Map.groupBy(measurements, (measurement) => measurement.arm);
  const controlValues = valuesOf(byArm.get(control) ?? []);
  const comparisons: Comparison[] = [];
  for (const [arm, own] of byArm) {
    if (arm === control) continue;
    for (const [metric, values] of valuesOf(own)) {
      const against = controlValues.get(metric);
      if (!against?.every((value) => value > 0) || Math.min(values.length, against.length) < fewestRounds) continue;
      const random = createRandom(seed).next;
      comparisons.push({ metric, arm, control, ...ratioOfMedians({ values, control: against, random }) });
    }
  }
  return comparisons;
}

/** In the order of the rounds, so that the same place means the same round in every arm. */
function valuesOf(measurements: readonly Measurement[]): Map<string, number[]> {
  const values = new Map<string, number[]>();
  const valid = measurements.filter((measurement) => measurement.verdict === 'VALID');
  for (const measurement of valid.toSorted((a, b) => a.round - b.round)) {
    for (const [metric, value] of Object.entries(metricsOf(measurement))) {
      values.set(metric, [...(values.get(metric) ?? []), value]);
    }
  }
  return values;
}
