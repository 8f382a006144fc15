import type { IngestData } from '../scenarios/ingest/data.ts';
import type { TimelineData } from '../scenarios/timeline/data.ts';
import type { ArmResult, Comparison, Measurement, RunDocument } from '../schema/run.ts';
import { type Mark, markOf } from './marks.ts';

/** A run's document as the sections of the report want it. */
export interface View {
  document: RunDocument;
  arms: { result: ArmResult; mark: Mark }[];
  /** Data of the valid rounds of an arm, in the order of the rounds. */
  ingest(arm: string): IngestData[];
  timeline(arm: string): TimelineData[];
  discarded: Measurement[];
  ratio(arm: string, metric: string): Comparison | undefined;
}

export function createView(document: RunDocument): View {
  const valid = document.measurements
    .filter((measurement) => measurement.verdict === 'VALID')
    .toSorted((a, b) => a.round - b.round);
  return {
    document,
    arms: document.arms.map((result, at) => ({ result, mark: markOf(at) })),
    ingest: (arm) =>
      valid.flatMap((entry) => (entry.scenario === 'ingest' && entry.arm === arm && entry.data ? [entry.data] : [])),
    timeline: (arm) =>
      valid.flatMap((entry) => (entry.scenario === 'timeline' && entry.arm === arm && entry.data ? [entry.data] : [])),
    discarded: document.measurements.filter((measurement) => measurement.verdict === 'DISCARDED'),
    ratio: (arm, metric) => document.comparisons.find((entry) => entry.arm === arm && entry.metric === metric),
  };
}
