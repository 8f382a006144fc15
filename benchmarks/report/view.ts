import type { Html } from '../../kernel/html.ts';
import type { ArmResult, Comparison, RunDocument } from '../schema/run.ts';
import { type Measurement, type TurnKind, validDataOf } from '../schema/turn.ts';
import { type Mark, markOf } from './marks.ts';

/** A run's document as the sections of the report want it. */
export interface View {
  document: RunDocument;
  arms: { result: ArmResult; mark: Mark }[];
  /** Data of the valid rounds of an arm, in the order of the rounds. */
  rounds<Data>(kind: TurnKind<Data>, arm: string): Data[];
  discarded: Measurement[];
  ratio(arm: string, metric: string): Comparison | undefined;
}

/** A part of the page; empty where the run has nothing of it. */
export type Section = (view: View) => Html;

export function createView(document: RunDocument): View {
  const { arms, measurements, comparisons } = document;
  const byArm = Map.groupBy(measurements, ({ arm }) => arm);
  return {
    document,
    arms: arms.map((result, at) => ({ result, mark: markOf(at) })),
    rounds: (kind, arm) => validDataOf(kind, byArm.get(arm) ?? []),
    discarded: measurements.filter(({ verdict }) => verdict === 'DISCARDED'),
    ratio: (arm, metric) => comparisons.find((entry) => entry.arm === arm && entry.metric === metric),
  };
}
