import { topologyScenarios } from '../scenarios/registry.ts';
import type { Comparison, RunDocument } from '../schema/run.ts';

/** A ratio has to move by more than this, and out of its former interval, to be called a regression. */
const tolerance = 0.05;

/**
 * What became worse since an earlier run. Only ratios to the control are compared: absolute numbers of two runs differ
 * with whatever else the machine was doing.
 */
export function compareToBaseline(
  comparisons: readonly Comparison[],
  baseline: RunDocument,
): NonNullable<RunDocument['baseline']> {
  const regressions: string[] = [];
  for (const metric of topologyScenarios.flatMap(({ metrics = [] }) => metrics)) {
    for (const now of comparisons.filter((comparison) => comparison.metric === metric.name)) {
      const before = baseline.comparisons.find(
        (comparison) =>
          comparison.metric === now.metric && comparison.arm === now.arm && comparison.control === now.control,
      );
      if (!before) continue;
      const worse =
        metric.better === 'higher'
          ? now.ratio < before.ratio * (1 - tolerance) && now.high < before.low
          : now.ratio > before.ratio * (1 + tolerance) && now.low > before.high;
      if (!worse) continue;
      const ratios = `${before.ratio.toFixed(2)} → ${now.ratio.toFixed(2)}`;
      regressions.push(`${now.arm}, ${metric.label}: ${ratios} × ${now.control}`);
    }
  }
  return { id: baseline.id, comparisons: baseline.comparisons, regressions };
}
