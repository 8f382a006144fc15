import { compareToItself, withFloors } from '../compare/same-arm.ts';
import { compareToControl, summarizeArm } from '../compare/summary.ts';
import { judgeConditions, judgeConditionsTogether } from '../conditions/judge.ts';
import { topologyScenarios } from '../scenarios/registry.ts';
import { isOwnDocument, type ResultDocument } from '../schema/result.ts';
import type { RunDocument } from '../schema/run.ts';
import { type Difference, differencesOf } from './differences.ts';
import { digestOf } from './digest.ts';
import { verifyPhases } from './phases.ts';

export interface Verification {
  /** Whether the document is the one that was stored; null for one of before results had a digest. */
  sealed: boolean | null;
  /** Stretches of load whose percentiles were derived from their histograms. */
  phases: number;
  differences: Difference[];
}

/**
 * Derives every figure of a stored result from what was measured: percentiles from histograms, summaries, ratios and
 * intervals from turns, verdicts from conditions and answers. It names what is not as stored.
 */
export function verifyDocument(document: ResultDocument): Verification {
  const { phases, differences } = verifyPhases(document);
  const sealed = document.digest === undefined ? null : document.digest === digestOf(document);
  const ofRun = isOwnDocument(document) ? [] : [...verifyFigures(document), ...verifyVerdicts(document)];
  return { sealed, phases, differences: [...differences, ...ofRun] };
}

function verifyFigures(document: RunDocument): Difference[] {
  const { measurements, control, comparisons, sameArm = null, arms } = document;
  const again = sameArm?.arm;
  const own = measurements.filter(({ arm }) => arm !== again);
  const earlier = { runs: sameArm?.earlierRuns ?? 0, spread: sameArm?.earlier ?? {} };
  const itself = sameArm && compareToItself(measurements, control, earlier);
  return [
    ...differencesOf('sameArm', sameArm, itself),
    ...differencesOf('comparisons', comparisons, withFloors(compareToControl(own, control), itself)),
    ...arms.flatMap(({ name, summary }) => {
      const turns = measurements.filter(({ arm }) => arm === name);
      return differencesOf(`arms.${name}.summary`, summary, summarizeArm(turns));
    }),
  ];
}

/** Turns that count and must not, and a verdict that its reasons don't carry. */
function verifyVerdicts(document: RunDocument): Difference[] {
  const { measurements, arms, verdict, reasons } = document;
  const together = judgeConditionsTogether(measurements);
  const ofTurns = measurements.flatMap((measurement, at) => {
    const { scenario, arm, round, conditions, data } = measurement;
    if (measurement.verdict !== 'VALID') return [];
    const judge = topologyScenarios.find(({ turn }) => turn.name === scenario)?.judge;
    const own = data === null ? ['it failed'] : (judge?.(data) ?? []);
    const found = [...own, ...(conditions ? judgeConditions(conditions) : []), ...(together.get(at) ?? [])];
    if (found.length === 0) return [];
    return {
      where: `${scenario}, round ${round} of ${arm}: verdict`,
      stored: 'VALID',
      derived: `DISCARDED: ${found[0]}`,
    };
  });
  const ofArms = arms.flatMap(({ name, verdict: stored, reasons: own, audit }) => {
    const derived = own.length === 0 && audit?.ok !== false ? 'VALID' : 'DISCARDED';
    return differencesOf(`arms.${name}.verdict`, stored, derived);
  });
  const discarded = reasons.length > 0 || arms.some((arm) => arm.verdict === 'DISCARDED');
  return [...ofTurns, ...ofArms, ...differencesOf('verdict', verdict, discarded ? 'DISCARDED' : 'VALID')];
}
