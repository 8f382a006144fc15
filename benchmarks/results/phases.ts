import { z } from 'zod';
import { decodeHistogram, percentiles } from '../../simulator/driver/histogram.ts';
import { type LoadPhase, loadPhase } from '../schema/load-phase.ts';
import { type Difference, differencesOf } from './differences.ts';

/** A rate is over the time until the last answer, or over that of the plan where that was longer. */
const rateTolerance = 0.01;
const record = z.record(z.string(), z.unknown());

/** Every stretch of load in a document, wherever it stands, against its own histogram. */
export function verifyPhases(value: unknown, where = ''): { phases: number; differences: Difference[] } {
  const phase = loadPhase.safeParse(value);
  if (phase.success) return { phases: 1, differences: verifyPhase(where, phase.data) };
  const fields = Array.isArray(value) ? Object.entries(value) : Object.entries(record.safeParse(value).data ?? {});
  const found = fields.map(([name, inner]) => verifyPhases(inner, where === '' ? name : `${where}.${name}`));
  return {
    phases: found.reduce((sum, { phases }) => sum + phases, 0),
    differences: found.flatMap(({ differences }) => differences),
  };
}

function verifyPhase(where: string, phase: LoadPhase): Difference[] {
  const { latency, sent, acknowledged, errors, rate, durationS, offeredRate } = phase;
  const counted = acknowledged + errors;
  const plannedS = offeredRate === null ? 0 : sent / offeredRate;
  const derived = acknowledged / Math.max(durationS, plannedS);
  const isRate = Math.abs(rate - derived) <= derived * rateTolerance;
  return [
    ...latencyOf(where, phase, latency),
    ...differencesOf(`${where}.sent`, sent, counted),
    ...(isRate ? [] : differencesOf(`${where}.rate`, rate, derived)),
  ];
}

function latencyOf(where: string, { histogram }: LoadPhase, latency: LoadPhase['latency']): Difference[] {
  try {
    return differencesOf(`${where}.latency`, latency, percentiles(decodeHistogram(histogram)));
  } catch {
    return [{ where: `${where}.histogram`, stored: `${histogram.length} characters`, derived: 'no histogram' }];
  }
}
