import type { Measurement } from '../schema/turn.ts';
import type { Conditions, Durability } from './conditions.ts';

/** Above this share of the cores what is left for the lab is not a machine to measure on. */
const outsideLimit = 0.6;
/** Share of the cores by which one arm's turn may be busier outside of the lab than the other arms' turns. */
const unequalLimit = 0.1;
/** In cores: short turns on a few cores differ by so much through other guests of the host alone. */
const leastUnequal = 0.35;
const slowerLimit = 1.5;
const clockStepLimitMs = 500;

/** Why a turn must not count, whatever the other arms' turns were like; empty when it may. */
export function judgeConditions(conditions: Conditions): string[] {
  const { clockStepMs, cores, durability, restarted } = conditions;
  const reasons = durability ? [...judgeDurability(durability.atStart, durability.atEnd)] : [];
  if (restarted.length > 0) reasons.push(`started again during the turn: ${restarted.join(', ')}`);
  if (Math.abs(clockStepMs) > clockStepLimitMs) {
    reasons.push(`the clock was set by ${(clockStepMs / 1e3).toFixed(1)} s during the turn`);
  }
  if (outsideOf(conditions) > cores * outsideLimit) {
    reasons.push(`other processes used ${usage(conditions)}: end them, or measure when they have ended`);
  }
  return reasons;
}

function judgeDurability(atStart: Durability, atEnd: Durability): string[] {
  return Object.entries(atEnd).flatMap(([name, value]) => {
    if (atStart[name] !== value) return `${name} changed from ${atStart[name]} to ${value} during the turn`;
    if (value !== 'off') return [];
    return `${name} is off in the service’s session: what it acknowledges is not on disk`;
  });
}

/**
 * Why turns must not stand beside those of the other arms: an arm that other processes slowed down, or that is durable
 * in another way, differs for reasons that are not its own. @returns reasons by position in `measurements`
 */
export function judgeConditionsTogether(measurements: readonly Measurement[]): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const [at, turn] of measurements.entries()) {
    const mates = matesOf(turn, measurements).flatMap((mate) => mate.conditions ?? []);
    if (!turn.conditions || mates.length === 0) continue;
    const reasons = [
      ...judgeOutside(turn.conditions, mates),
      ...judgeSpeed(turn.conditions, mates),
      ...judgeEqualDurability(turn.conditions, mates),
    ];
    if (reasons.length > 0) found.set(at, reasons);
  }
  return found;
}

/** The other arms' turns of its round; where an arm is alone, its own other rounds. */
function matesOf(turn: Measurement, measurements: readonly Measurement[]): Measurement[] {
  const others = measurements.filter((other) => other !== turn && other.part === turn.part);
  const sameRound = others.filter(({ round, arm }) => round === turn.round && arm !== turn.arm);
  return sameRound.length > 0 ? sameRound : others.filter(({ arm }) => arm === turn.arm);
}

function judgeOutside(own: Conditions, mates: readonly Conditions[]): string[] {
  const quietest = mates.reduce((least, mate) => (outsideOf(mate) < outsideOf(least) ? mate : least));
  if (outsideOf(own) - outsideOf(quietest) <= Math.max(own.cores * unequalLimit, leastUnequal)) return [];
  return [`other processes used ${usage(own)} during this turn, and ${usage(quietest)} during another one beside it`];
}

function outsideOf({ outsideCores, stolenCores }: Conditions): number {
  return (outsideCores ?? 0) + stolenCores;
}

function usage(conditions: Conditions): string {
  const { stolenCores, cores } = conditions;
  const stolen = stolenCores >= 0.05 ? ` (${stolenCores.toFixed(1)} of them other guests of the host)` : '';
  return `${outsideOf(conditions).toFixed(1)} of ${cores} cores${stolen}`;
}

function judgeSpeed(own: Conditions, mates: readonly Conditions[]): string[] {
  const slow = Math.max(own.spinMs.before, own.spinMs.after);
  const fast = Math.min(...mates.flatMap(({ spinMs }) => [spinMs.before, spinMs.after]));
  if (slow <= fast * slowerLimit) return [];
  const times = `${slow.toFixed(1)} ms beside this turn, ${fast.toFixed(1)} ms beside another one`;
  return [`the cores were slower: the same arithmetic took ${times}`];
}

function judgeEqualDurability(own: Conditions, mates: readonly Conditions[]): string[] {
  const settings = Object.entries(own.durability?.atEnd ?? {});
  return settings.flatMap(([name, value]) => {
    const other = mates.find((mate) => (mate.durability?.atEnd[name] ?? value) !== value);
    if (!other) return [];
    return `${name} is ${value} in this arm and ${other.durability!.atEnd[name]} in another`;
  });
}
