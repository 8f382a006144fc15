import type { Comparison } from '../schema/run.ts';
import type { Measurement } from '../schema/turn.ts';
import { pairedRatio } from '../statistics/paired-ratio.ts';
import { type Summary, summarize } from '../statistics/summary.ts';
import { metricsOf } from './metrics.ts';

/** Medians and ranges of an arm's valid rounds, by metric. */
export function summarizeArm(measurements: readonly Measurement[]): Record<string, Summary> {
  return Object.fromEntries(
    [...valuesOf(measurements)].map(([name, rounds]) => [name, summarize([...rounds.values()])]),
  );
}

/** What fewer rounds say is an anecdote. */
export const fewestRounds = 3;

/**
 * Every metric of every other arm relative to the control's, round by round. Metrics with too few rounds that are valid
 * in both arms are left out.
 */
export function compareToControl(measurements: readonly Measurement[], control: string): Comparison[] {
  const byArm = Map.groupBy(measurements, (measurement) => measurement.arm);
  const controlValues = valuesOf(byArm.get(control) ?? []);
  const comparisons: Comparison[] = [];
  for (const [arm, own] of byArm) {
    if (arm === control) continue;
    for (const [metric, values] of valuesOf(own)) {
      const against = controlValues.get(metric);
      if (!against || [...values.values(), ...against.values()].some((value) => !(value > 0))) continue;
      if ([...values.keys()].filter((round) => against.has(round)).length < fewestRounds) continue;
      comparisons.push({ metric, arm, control, ...pairedRatio(values, against) });
    }
  }
  return comparisons;
}

/** The values of the valid rounds, by metric and number of the round. */
function valuesOf(measurements: readonly Measurement[]): Map<string, Map<number, number>> {
  const values = new Map<string, Map<number, number>>();
  for (const measurement of measurements) {
    if (measurement.verdict !== 'VALID') continue;
    for (const [metric, value] of Object.entries(metricsOf(measurement))) {
      const rounds = values.get(metric) ?? new Map<number, number>();
      values.set(metric, rounds.set(measurement.round, value));
    }
  }
  return values;
}
