import { fewestRequests, judgeCpu } from '../../measure/judge-phase.ts';
import { pairedRatio } from '../../statistics/paired-ratio.ts';
import { summarize } from '../../statistics/summary.ts';
import type { AcceptanceArm, AcceptanceDocument, ArmName } from './document.ts';

/** What was measured, by arm, in the order of the rounds. */
export type Rounds = Map<ArmName, AcceptanceArm['rounds']>;

const descriptions: Record<ArmName, string> = {
  sync: 'API, answered after COMMIT',
  kafka: 'gateway, answered when the broker has synced its log; consumers at work on the same cores',
  'kafka-burst': 'as kafka, with the consumers stopped until the load has ended',
};

/** Rounds of an arm may lie this far apart, relative to their median. */
const spreadLimit = 0.6;

export function describeArms(measured: Rounds): AcceptanceArm[] {
  return [...measured].map(([name, rounds]) => ({
    name,
    description: descriptions[name],
    rounds,
    medianRate: summarize(rounds.map(({ load }) => load.rate)).median,
    cpuUs: cpuPerWebhook(rounds),
  }));
}

function cpuPerWebhook(rounds: AcceptanceArm['rounds']): Record<string, number> {
  const accepted = rounds.reduce((sum, { load }) => sum + load.acknowledged, 0);
  const seconds: Record<string, number> = {};
  for (const { load } of rounds) {
    // A process that was stopped meanwhile has used nothing.
    for (const [name, used] of Object.entries(load.cpuSeconds))
      seconds[name] = (seconds[name] ?? 0) + Math.max(0, used);
  }
  return Object.fromEntries(
    Object.entries(seconds).map(([name, used]) => [name, Math.round((used * 1e6) / Math.max(accepted, 1))]),
  );
}

/** Relative to sync mode, round by round. */
export function ratioOfRates(measured: Rounds, arm: ArmName) {
  const rates = (name: ArmName) => new Map(measured.get(name)!.map(({ round, load }) => [round, load.rate]));
  return pairedRatio(rates(arm), rates('sync'));
}

/** Why a run must not count; empty when it may. */
export function judgeAcceptance(measured: Rounds, audits: AcceptanceDocument['audits']): string[] {
  const reasons: string[] = [];
  for (const [name, rounds] of measured) {
    const { spread } = summarize(rounds.map(({ load }) => load.rate));
    if (spread > spreadLimit) reasons.push(`${name}: rounds ${Math.round(spread * 100)} % of their median apart`);
    for (const { round, load, drained } of rounds) {
      const where = `${name}, round ${round}`;
      const errors = load.sent - load.acknowledged;
      if (errors > load.sent * 0.001) reasons.push(`${where}: ${errors} errors in ${load.sent} requests`);
      if (load.sent < fewestRequests) {
        reasons.push(`${where}: ${load.sent} requests are too few: ${fewestRequests} at least`);
      }
      // The API is stopped for a burst, and started again behind it.
      const always = Object.entries(load.cpuSeconds).filter(([part]) => name !== 'kafka-burst' || part !== 'api');
      reasons.push(...judgeCpu(where, { cpuSeconds: Object.fromEntries(always) }));
      if (!drained) reasons.push(`${where}: what was accepted was not applied in time`);
    }
  }
  for (const { mode, broken, acknowledged, counted = acknowledged } of audits) {
    reasons.push(...broken.map((text) => `audit of ${mode}: ${text}`));
    if (acknowledged !== counted) {
      reasons.push(`audit of ${mode}: ${acknowledged} webhooks were looked up, and the client counted ${counted}`);
    }
    if (acknowledged === 0) reasons.push(`audit of ${mode}: no acknowledged webhook was looked up`);
  }
  return reasons;
}
