import type { LoadPhase } from '../schema/load-phase.ts';

/** Share of requests without a 2xx that a phase may have. */
const errorLimit = 0.001;
/** A generator that starts requests later than this did not offer the load that it claims. */
const latenessLimitMs = 25;
/** Five requests are slower than the p99 of so many. With fewer it is one request's latency. */
export const fewestRequests = 500;
/** A rate that was held for less says nothing about a queue that grows. */
const shortestHoldS = 0.9;

/** Why a stretch of load must not count; empty when it may. */
export function judgePhase(name: string, phase: LoadPhase): string[] {
  const reasons: string[] = [];
  const { sent, acknowledged, errors, durationS, lateness } = phase;
  if (sent < fewestRequests)
    reasons.push(`${name}: ${sent} requests are too few for a p99: ${fewestRequests} at least`);
  if (durationS < shortestHoldS)
    reasons.push(`${name}: held for ${durationS.toFixed(2)} s: ${shortestHoldS} s at least`);
  reasons.push(...judgeAnswers(name, phase));
  if (sent !== acknowledged + errors) {
    reasons.push(`${name}: ${sent} requests were sent, and ${acknowledged + errors} are accounted for`);
  }
  if (lateness.p99Ms > latenessLimitMs) {
    reasons.push(`${name}: generator late by ${lateness.p99Ms.toFixed(0)} ms at its 99th percentile`);
  }
  reasons.push(...judgeCpu(name, phase));
  // One process can use one core: above nine tenths of it the generator is the limit and not the system.
  const share = (phase.cpuSeconds.generator ?? 0) / Math.max(durationS, 0.001);
  if (share > 0.9) reasons.push(`${name}: generator saturated (${(share * 100).toFixed(0)} % of a core)`);
  return reasons;
}

/** Errors alone: all that is asked of a closed loop, which estimates and is no result. */
export function judgeAnswers(name: string, { sent, acknowledged, errors }: LoadPhase): string[] {
  const share = sent === 0 ? 1 : Math.max(errors, sent - acknowledged) / sent;
  return share > errorLimit ? [`${name}: ${(share * 100).toFixed(2)} % errors`] : [];
}

export function judgeCpu(name: string, { cpuSeconds }: Pick<LoadPhase, 'cpuSeconds'>): string[] {
  return Object.entries(cpuSeconds)
    .filter(([, seconds]) => seconds < 0)
    .map(([part]) => `${name}: ${part} was started again, so its CPU time is not known`);
}
