import type { Comparison, RunDocument } from '../schema/run.ts';
import type { Measurement } from '../schema/turn.ts';
import { compareToControl } from './summary.ts';

export type SameArm = NonNullable<RunDocument['sameArm']>;
/** By metric, the largest |log ratio| of an arm to itself in earlier runs. */
export type EarlierSpread = Readonly<Record<string, number>>;

/** The name under which the control has its second turn of each round. */
export function againName(control: string): string {
  return `${control} again`;
}

/** The arms of a round: the second turn of the control lies as far from its first as the others allow. */
export function withAgain<T extends { name: string }>(arms: readonly T[], again: T): T[] {
  const at = 1 + Math.floor(arms.length / 2);
  return [...arms.slice(0, at), again, ...arms.slice(at)];
}

/**
 * What the control shows against itself: nothing differed, so this is the smallest difference that the machine can show.
 */
export function compareToItself(
  measurements: readonly Measurement[],
  control: string,
  earlier: { runs: number; spread: EarlierSpread },
): SameArm {
  const arm = againName(control);
  const own = measurements.filter((measurement) => measurement.arm === arm || measurement.arm === control);
  return {
    arm,
    comparisons: compareToControl(own, control),
    earlierRuns: earlier.runs,
    earlier: { ...earlier.spread },
  };
}

/** Comparisons with the difference that each has to exceed, as a share: 0.05 for 5 %. */
export function withFloors(comparisons: readonly Comparison[], same: SameArm | null): Comparison[] {
  if (!same) return [...comparisons];
  return comparisons.map((comparison) => {
    const itself = same.comparisons.find(({ metric }) => metric === comparison.metric);
    if (!itself) return comparison;
    const widest = Math.max(Math.abs(Math.log(itself.low)), Math.abs(Math.log(itself.high)));
    return { ...comparison, floor: Math.exp(Math.max(widest, same.earlier[comparison.metric] ?? 0)) - 1 };
  });
}
